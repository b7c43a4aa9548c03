/** The bar on top: what is on show, and the switches for territory and language. */
import type { Publication, Territory } from './api.ts';
import type { Board } from './board.ts';
import { fill, h } from './dom.ts';
import type { Context } from './context.ts';
import type { Key } from './i18n.ts';
import { openBadge, signOut, type Me } from './identity.ts';

export interface HeaderActions {
  chooseTerritory(id: string): void;
  switchLanguage(): void;
  signOut(): void;
}

export function renderHeader(
  root: HTMLElement,
  { i18n, format }: Context,
  territories: readonly Territory[],
  territory: Territory | null,
  board: Board | null,
  me: Me | null,
  actions: HeaderActions,
  search: HTMLElement | null = null,
): void {
  const hadFocus = root.contains(document.activeElement) ? document.activeElement?.id : undefined;
  fill(
    root,
    h('h1', { class: 'brand' }, h('span', { class: 'logo', 'aria-hidden': 'true' }), 'gridsvc'),
    territory && territoryName(territories, territory, i18n.t('nav.territory'), actions),
    board && subject(board, { i18n, format }),
    territory?.simulated && h('span', { class: 'badge' }, i18n.t('head.simulated')),
    me?.access === 'open' && openBadge(i18n),
    search,
    h(
      'nav',
      {},
      me?.access === 'keys' && signOut(me, i18n, () => actions.signOut()),
      h('a', { href: '/docs', class: 'quiet' }, i18n.t('nav.docs')),
      h(
        'button',
        {
          id: 'language',
          type: 'button',
          class: 'quiet',
          'aria-label': i18n.t('nav.switch.label'),
          onclick: () => actions.switchLanguage(),
        },
        i18n.t('nav.switch'),
      ),
    ),
  );
  if (hadFocus) document.getElementById(hadFocus)?.focus();
}

/** What is on the map: a publication and since when, or a plan and how far it is. */
function subject(
  { territory, subject: { publication, plan } }: Board,
  { i18n, format }: Pick<Context, 'i18n' | 'format'>,
): HTMLElement {
  const [title, more] = publication
    ? [i18n.t('head.publication', { n: publication.n }), effective(publication, territory, { i18n, format })]
    : [plan.name || plan.id, i18n.t(`plan.status.${plan.status}` as Key)];
  return h('p', { class: 'publication' }, h('strong', {}, title), h('span', { class: 'muted' }, more));
}

function territoryName(
  territories: readonly Territory[],
  territory: Territory,
  label: string,
  actions: HeaderActions,
): HTMLElement {
  if (territories.length < 2) return h('span', { class: 'territory' }, territory.name);
  const select = h('select', {
    id: 'territory',
    'aria-label': label,
    onchange: () => actions.chooseTerritory(select.value),
  });
  for (const { id, name } of territories) {
    select.append(h('option', { value: id, selected: id === territory.id }, name));
  }
  return select;
}

function effective(
  publication: Publication,
  territory: Territory,
  { i18n, format }: Pick<Context, 'i18n' | 'format'>,
): string {
  const date = format.date(publication.effective_at, territory.time_zone);
  const upcoming = new Date(publication.effective_at) > new Date();
  return i18n.t(upcoming ? 'head.upcoming' : 'head.effective', { date });
}
