/** What the page says while there is nothing to show. */
import { h } from './dom.ts';
import type { I18n } from './i18n.ts';

export function loadingNotice(text: string): HTMLElement {
  return h('p', { class: 'chip' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), text);
}

/** Nothing is published; `territory` names the one which waits for its first publication. */
export function emptyNotice(i18n: I18n, territory: string | null): HTMLElement {
  return h(
    'div',
    { class: 'state' },
    h('h2', {}, i18n.t('state.empty.title')),
    territory !== null && h('p', {}, i18n.t('state.empty.territory', { name: territory })),
    h('p', {}, h('a', { href: '#/plans', class: 'primary' }, i18n.t('begin.open'))),
    h('p', {}, i18n.t('state.empty.text')),
    h('p', {}, h('code', {}, 'make run'), ` ${i18n.t('state.empty.or')} `, h('code', {}, 'gridsvc demo')),
  );
}
