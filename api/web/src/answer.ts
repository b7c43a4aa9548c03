/** How an owner, or the reason why there is none, is put in words. */
import { ApiError, type OwnerAnswer } from './api.ts';
import { h } from './dom.ts';
import type { Context } from './context.ts';

export function describeAnswer(answer: OwnerAnswer, { i18n }: Context): HTMLElement {
  const { status, rule, publication, roster } = answer;
  const basis =
    roster == null
      ? i18n.t('owner.basis.noRoster', { n: publication })
      : i18n.t('owner.basis', { n: publication, roster });
  return h(
    'div',
    { class: 'answer' },
    h('p', { class: 'why' }, answer.why),
    h(
      'p',
      { class: 'small' },
      h('span', { class: status === 'owned' ? 'tag good' : 'tag' }, i18n.t(`owner.status.${status}`)),
      rule && h('span', { class: 'tag' }, i18n.t(`owner.rule.${rule}`)),
      h('span', { class: 'muted' }, basis),
    ),
  );
}

/** Grid, team and lead in one line, where there is no card to show them. */
export function describeOwner(answer: OwnerAnswer, context: Context): HTMLElement {
  const { grid, team, cell } = answer;
  const parts = [
    grid && [grid.code, grid.name].filter(Boolean).join(' '),
    team?.name,
    leadName(answer, context),
  ];
  const where = cell && `${context.i18n.t('card.cell')} ${cell}`;
  return h(
    'p',
    { class: 'owned-by' },
    h('strong', {}, parts.filter(Boolean).join(' · ')),
    where && h('span', { class: 'second' }, where),
  );
}

/** The name of the lead, with a word when somebody stands in. */
export function leadName(answer: OwnerAnswer, { i18n }: Context): string | null {
  if (!answer.lead) return null;
  const { name, acting } = answer.lead;
  return acting ? i18n.t('card.acting', { name }) : name;
}

/** A failure in words: what the service said, with the cure; or that it could not be reached. */
export function describeError(error: unknown, { i18n }: Context, retry?: () => void): HTMLElement {
  const known = error instanceof ApiError ? error : null;
  const title = known?.title || i18n.t('state.error.title');
  const detail =
    known?.status === 0 ? i18n.t('state.error.offline') : known ? known.detail : i18n.t('state.error.page');
  return h(
    'div',
    { class: 'problem', role: 'alert' },
    h('strong', {}, title),
    detail && h('p', {}, detail),
    known?.cure && h('p', {}, i18n.t('state.error.cure', { cure: known.cure })),
    retry && h('button', { type: 'button', onclick: () => retry() }, i18n.t('state.retry')),
  );
}
