/** Publications on the line of time: when each was in force, and what it changed. */
import type { Publication } from '../../api.ts';
import type { Context } from '../../context.ts';
import { h } from '../../dom.ts';

export interface TimelineActions {
  look(publication: Publication): void;
  again(publication: Publication): void;
  since(publication: Publication): void;
}

export function timeline(
  publications: readonly Publication[],
  shown: number | null,
  zone: string,
  context: Context,
  actions: TimelineActions,
): HTMLElement {
  const { i18n } = context;
  if (publications.length === 0) return h('p', { class: 'muted' }, i18n.t('publish.none'));
  const items = [...publications].sort((a, b) => b.n - a.n);
  return h(
    'ol',
    { class: 'timeline' },
    ...items.map((item) => entry(item, item.n === shown, zone, context, actions)),
  );
}

function entry(
  item: Publication,
  shown: boolean,
  zone: string,
  { i18n, format }: Context,
  actions: TimelineActions,
): HTMLElement {
  const moved = item.summary.moved;
  const choice = (text: string, onclick: () => void): HTMLElement =>
    h('button', { type: 'button', class: 'plain', onclick }, text);
  return h(
    'li',
    { class: item.state, 'aria-current': shown ? 'true' : null },
    h(
      'div',
      { class: 'row' },
      h('strong', {}, i18n.t('head.publication', { n: item.n })),
      h(
        'span',
        { class: item.state === 'in-force' ? 'tag good' : 'tag' },
        i18n.has(`publish.state.${item.state}`) ?? item.state,
      ),
      h('span', { class: 'muted' }, format.date(item.effective_at, zone)),
    ),
    h(
      'p',
      { class: 'muted small' },
      i18n.t('publish.by', { actor: item.published_by, grids: format.number(item.grids) }),
    ),
    moved &&
      h(
        'p',
        { class: 'muted small' },
        i18n.t('publish.moved', {
          cells: format.number(moved.cells),
          customers: format.number(moved.customers ?? 0),
        }),
      ),
    h(
      'div',
      { class: 'row' },
      choice(i18n.t('publish.look'), () => actions.look(item)),
      item.state !== 'in-force' && choice(i18n.t('publish.again'), () => actions.again(item)),
      item.state === 'past' && choice(i18n.t('publish.changes', { n: item.n }), () => actions.since(item)),
    ),
  );
}
