/** The effect of what is chosen, grid by grid and measure by measure, now and after. */
import type { GridProperties } from '../../api.ts';
import { deviationBar } from '../../bar.ts';
import { toleranceOf, type Board } from '../../board.ts';
import type { Context } from '../../context.ts';
import { h } from '../../dom.ts';
import type { Effect } from './effect.ts';

export function effectTable(effect: Effect, board: Board, context: Context): HTMLElement {
  const { i18n } = context;
  const heads = board.measures.map((name) =>
    h('th', { scope: 'col', colspan: 2 }, i18n.measure(name, board.territory)),
  );
  const sides = board.measures.flatMap(() => [
    h('th', { scope: 'col' }, i18n.t('redraw.now')),
    h('th', { scope: 'col' }, i18n.t('redraw.after')),
  ]);
  const rows = effect.grids.map(({ before, after }) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, before.code, h('span', { class: 'second' }, pieces(before, after))),
      ...board.measures.flatMap((name) => [
        side(before, name, board, context),
        side(after, name, board, context),
      ]),
    ),
  );
  return h(
    'div',
    { class: 'scroll-x', tabindex: '0', role: 'region', 'aria-label': i18n.t('redraw.effect') },
    h(
      'table',
      { class: 'measures' },
      h(
        'thead',
        {},
        h('tr', {}, h('th', { scope: 'col', rowspan: 2 }, i18n.t('redraw.grid.head')), ...heads),
        h('tr', {}, ...sides),
      ),
      h('tbody', {}, ...rows),
    ),
  );
}

/** A word only where a grid is not, or would not be, in one piece. */
function pieces(before: GridProperties, after: GridProperties): string {
  return before.pieces === 1 && after.pieces === 1 ? '' : `${before.pieces} → ${after.pieces} ⬡`;
}

function side(grid: GridProperties, measure: string, board: Board, { format }: Context): HTMLElement {
  const deviation = grid.deviation[measure];
  const tolerance = toleranceOf(board, measure);
  const beyond = Math.abs(deviation ?? 0) > tolerance;
  return h(
    'td',
    { class: beyond ? 'beyond' : null },
    h('span', {}, format.compact(grid.measures[measure] ?? 0)),
    h('span', { class: 'second' }, format.deviation(deviation)),
    deviationBar(deviation, tolerance),
  );
}
