/** 'Assign for me': what the service is to look to. */
import type { Context } from '../../context.ts';
import { h } from '../../dom.ts';

export interface AutomaticWish {
  /** Leave grids with whom they are today, where that is good enough. */
  today: boolean;
  /** Keep what was changed by hand. */
  hand: boolean;
}

export function automatic(assign: (wish: AutomaticWish) => void, { i18n }: Context): HTMLElement {
  const today = h('input', { type: 'checkbox', checked: true });
  const hand = h('input', { type: 'checkbox', checked: true });
  return h(
    'details',
    { class: 'team-automatic' },
    h('summary', {}, i18n.t('teams.auto')),
    h(
      'div',
      { class: 'stack' },
      h('p', { class: 'muted small' }, i18n.t('teams.auto.help')),
      h('label', { class: 'row' }, today, h('span', {}, i18n.t('teams.auto.today'))),
      h('label', { class: 'row' }, hand, h('span', {}, i18n.t('teams.auto.hand'))),
      h(
        'button',
        {
          type: 'button',
          class: 'primary',
          onclick: () => assign({ today: today.checked, hand: hand.checked }),
        },
        i18n.t('teams.auto'),
      ),
    ),
  );
}
