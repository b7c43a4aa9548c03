/** The parts of the panel which tell: what a move would do, what others did meanwhile, what was done before. */
import type { Board } from '../../board.ts';
import type { Context } from '../../context.ts';
import { h } from '../../dom.ts';
import { button } from './choices.ts';
import type { Conflict, MoveLine } from './draft.ts';
import type { Effect } from './effect.ts';
import { effectTable } from './table.ts';

/** What is chosen, what is wrong with it, and the numbers of each grid. */
export function effectSummary(effect: Effect, board: Board, context: Context): (HTMLElement | false)[] {
  const { i18n, format } = context;
  const warn = (text: string): HTMLElement => h('p', { class: 'beyond small', role: 'alert' }, text);
  const customers =
    effect.customers !== null &&
    ` · ${i18n.t('redraw.customers', {
      n: format.number(effect.customers),
      customers: i18n.customers(board.territory),
    })}`;
  return [
    h('p', {}, h('strong', {}, i18n.t('redraw.cells', { n: format.number(effect.cells) })), customers),
    effect.broken.length > 0 && warn(i18n.t('redraw.broken', { grids: effect.broken.join(', ') })),
    effect.emptied.length > 0 && warn(i18n.t('redraw.emptied', { grids: effect.emptied.join(', ') })),
    effect.locked.length > 0 && warn(i18n.t('redraw.locked', { n: effect.locked.length })),
    effectTable(effect, board, context),
  ];
}

export function saveForm(
  { i18n }: Context,
  busy: boolean,
  save: (reason: string) => void,
  clear: () => void,
): HTMLElement {
  const reason = h('input', { type: 'text', maxlength: 500, placeholder: i18n.t('redraw.reason') });
  return h(
    'form',
    {
      class: 'row',
      onsubmit: (event: Event) => {
        event.preventDefault();
        save(reason.value);
      },
    },
    reason,
    h('button', { type: 'submit', class: 'primary', disabled: busy }, i18n.t('redraw.save')),
    button(i18n.t('redraw.clear'), clear, 'Esc'),
  );
}

/** The first cell which others changed, and the two ways on. */
export function conflictNote(
  { i18n }: Context,
  conflicts: readonly Conflict[],
  without: () => void,
  anyway: () => void,
): HTMLElement | null {
  const [first] = conflicts;
  if (!first) return null;
  const told = i18n.t('redraw.conflict.one', {
    cell: first.cell,
    grid: first.grid ?? '–',
    actor: first.actor,
  });
  return h(
    'div',
    { class: 'problem', role: 'alert' },
    h('p', {}, i18n.t('redraw.conflict', { n: conflicts.length, first: told })),
    button(i18n.t('redraw.conflict.without'), without),
    button(i18n.t('redraw.conflict.anyway'), anyway),
  );
}

export function historyList(items: readonly MoveLine[], { i18n, format }: Context): HTMLElement {
  const lines = items.map((line) =>
    h(
      'li',
      {},
      h('span', { class: 'tag' }, String(line.revision)),
      i18n.t('redraw.history.line', {
        kind: i18n.has(`redraw.kind.${line.kind}`) ?? line.kind,
        n: format.number(line.cells),
      }),
      h('span', { class: 'second' }, [line.actor, line.reason].filter(Boolean).join(' · ')),
    ),
  );
  return h('ul', { class: 'history' }, ...lines);
}
