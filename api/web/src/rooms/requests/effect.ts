/** What accepting a request would do, in two columns: before and after. */
import { deviationBar } from '../../bar.ts';
import { toleranceOf, type Board } from '../../board.ts';
import type { Context } from '../../context.ts';
import { h } from '../../dom.ts';
import { problemOf, type RequestDetail } from './api.ts';

export function effectOf(request: RequestDetail, board: Board | null, context: Context): HTMLElement | null {
  const problem = problemOf(request);
  if (problem !== null) return h('p', { class: 'beyond', role: 'alert' }, problem);
  const { effect } = request;
  if (!effect?.before || !effect.after) return null;
  const { i18n } = context;
  return h(
    'div',
    {},
    h('h3', {}, i18n.t('requests.effect')),
    effect.before.grids && effect.after.grids && board
      ? grids(effect.before.grids, effect.after.grids, board, context)
      : h('p', {}, `${owner(effect.before)} → ${owner(effect.after)}`),
  );
}

type Figures = NonNullable<NonNullable<NonNullable<RequestDetail['effect']>['before']>['grids']>;

function grids(before: Figures, after: Figures, board: Board, context: Context): HTMLElement {
  const { i18n, format } = context;
  const side = (grid: Figures[number] | undefined, name: string): HTMLElement => {
    const deviation = grid?.deviation?.[name];
    const tolerance = toleranceOf(board, name);
    return h(
      'td',
      { class: Math.abs(deviation ?? 0) > tolerance ? 'beyond' : null },
      format.compact(grid?.totals[name] ?? 0),
      h('span', { class: 'second' }, format.deviation(deviation)),
      deviationBar(deviation, tolerance),
    );
  };
  const rows = before.map((grid) => {
    const later = after.find(({ code }) => code === grid.code);
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, grid.code),
      ...board.measures.flatMap((name) => [side(grid, name), side(later, name)]),
    );
  });
  return h(
    'div',
    { class: 'scroll-x', tabindex: '0', role: 'region', 'aria-label': i18n.t('requests.effect') },
    h(
      'table',
      { class: 'measures' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, i18n.t('requests.effect.grid')),
          ...board.measures.map((name) =>
            h('th', { scope: 'col', colspan: 2 }, i18n.measure(name, board.territory)),
          ),
        ),
        h(
          'tr',
          {},
          h('td', {}),
          ...board.measures.flatMap(() => [
            h('th', { scope: 'col' }, i18n.t('requests.effect.before')),
            h('th', { scope: 'col' }, i18n.t('requests.effect.after')),
          ]),
        ),
      ),
      h('tbody', {}, ...rows),
    ),
  );
}

/** Whatever names an owner or a lead in a side of the effect. */
function owner(side: Record<string, unknown>): string {
  const named = ['grid', 'team', 'lead', 'person'].map((key) => {
    const value = side[key];
    if (typeof value === 'string') return value;
    if (typeof value === 'object' && value !== null && 'name' in value) return String(value.name);
    return '';
  });
  return named.filter(Boolean).join(' · ') || '–';
}
