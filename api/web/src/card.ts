/** The card of what was picked on the map or in the table. */
import type { GridProperties, OwnerAnswer } from './api.ts';
import { describeAnswer, describeError, leadName } from './answer.ts';
import { deviationBar } from './bar.ts';
import { fill, h } from './dom.ts';
import { teamName, toleranceOf, type Board } from './board.ts';
import type { Context } from './context.ts';

/** What the service said about the picked point; null where a grid was picked from the table. */
export type Told = OwnerAnswer | Error | 'asking' | null;

export interface Picked {
  grid: GridProperties | null;
  told: Told;
  /** The answer's sentence already stands elsewhere on the page. */
  said?: boolean;
}

export function renderCard(
  root: HTMLElement,
  context: Context,
  board: Board,
  picked: Picked | null,
  onClose: () => void,
): void {
  root.hidden = picked === null;
  if (!picked) {
    fill(root);
    return;
  }
  const { i18n } = context;
  const { grid, told, said } = picked;
  const answer = told !== null && typeof told === 'object' && !(told instanceof Error) ? told : null;
  const title = grid?.code ?? answer?.grid?.code ?? i18n.t('owner.title');
  const close = h(
    'button',
    { type: 'button', class: 'close', 'aria-label': i18n.t('card.close'), onclick: onClose },
    '×',
  );
  fill(
    root,
    h('header', {}, h('h2', {}, title, h('span', { class: 'second' }, grid?.name ?? '')), close),
    told === 'asking' && h('p', { class: 'muted' }, i18n.t('card.asking')),
    told instanceof Error && describeError(told, context),
    answer && !said && describeAnswer(answer, context),
    grid && facts(grid, answer, context),
    grid && measures(grid, rowOf(answer, board), context, board),
  );
}

function rowOf(answer: OwnerAnswer | null, board: Board): number {
  return answer?.cell == null ? -1 : board.ground.finder.rowOf(answer.cell);
}

function facts(grid: GridProperties, answer: OwnerAnswer | null, context: Context): HTMLElement {
  const { i18n, format } = context;
  const nobody = i18n.t('card.nobody');
  // The answer is fresher than the export: people change without a new publication.
  const team = answer?.team?.name ?? teamName(grid);
  const lead = (answer && leadName(answer, context)) ?? grid.lead_name;
  const rows: [string, string][] = [
    [i18n.t('card.team'), team || nobody],
    [i18n.t('card.lead'), lead || nobody],
    [i18n.t('card.cells'), format.number(grid.cells)],
    [i18n.t('card.area'), format.area(grid.area_km2)],
  ];
  if (answer?.cell) rows.unshift([i18n.t('card.cell'), answer.cell]);
  const pairs = rows.map(([term, text]) => h('div', {}, h('dt', {}, term), h('dd', {}, text)));
  return h(
    'div',
    {},
    grid.carve_out && h('p', { class: 'carve' }, i18n.t('card.carveOut')),
    h('dl', { class: 'facts' }, ...pairs),
  );
}

function measures(grid: GridProperties, row: number, { i18n, format }: Context, board: Board): HTMLElement {
  const rows = board.measures.map((name) => {
    const deviation = grid.deviation[name];
    const tolerance = toleranceOf(board, name);
    const target = grid.targets[name];
    const value = board.ground.columns.measures[name]?.[row];
    const inCell = value !== undefined && i18n.t('card.inCell', { value: format.number(value) });
    const beyond = Math.abs(deviation ?? 0) > tolerance;
    return h(
      'tr',
      {},
      h(
        'th',
        { scope: 'row' },
        i18n.measure(name, board.territory),
        inCell && h('span', { class: 'second' }, inCell),
      ),
      h('td', {}, format.compact(grid.measures[name] ?? 0)),
      h('td', {}, target == null ? '–' : format.compact(target)),
      h(
        'td',
        { class: beyond ? 'beyond' : null },
        format.deviation(deviation),
        deviationBar(deviation, tolerance),
      ),
    );
  });
  const heads = (['card.measure', 'card.total', 'card.target', 'card.deviation'] as const).map((key) =>
    h('th', { scope: 'col' }, i18n.t(key)),
  );
  return h('table', { class: 'measures' }, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...rows));
}
