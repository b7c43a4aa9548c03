/** Key figures of the publication. */
import { shownGrids, toleranceOf, type Board } from './board.ts';
import { deviationBar } from './bar.ts';
import { h } from './dom.ts';
import type { Context } from './context.ts';

export function renderFigures(root: HTMLElement, context: Context, board: Board): void {
  const { i18n, format } = context;
  const grids = shownGrids(board);
  const teams = new Set(grids.map((grid) => grid.team).filter((team) => team !== null));
  const { publication } = board.subject;
  root.replaceChildren(
    h('h2', {}, i18n.t(publication ? 'figures.title' : 'figures.draft')),
    h(
      'dl',
      { class: 'tiles' },
      tile(i18n.t('figures.grids'), format.number(grids.length)),
      tile(i18n.t('figures.teams'), format.number(teams.size)),
      tile(i18n.t('figures.cells'), format.number(board.ground.mesh.count)),
      ...placed(context, board),
    ),
    ...leftOut(context, board),
    h('p', { class: 'muted small rule' }, i18n.t('figures.worst')),
    h(
      'ul',
      { class: 'worst', 'aria-label': i18n.t('figures.worst') },
      ...board.measures.map((measure) => worst(measure, context, board)),
    ),
  );
}

/** A publication of cells with measures of their own knows no customers. */
function placed({ i18n, format }: Context, board: Board): HTMLElement[] {
  const found = board.subject.publication?.summary.customers ?? null;
  if (found === null) return [];
  const customers = i18n.customers(board.territory);
  return [
    tile(i18n.t('figures.placed', { customers }), format.number(found.placed)),
    tile(i18n.t('figures.rate'), format.percent(found.placement_rate)),
  ];
}

function leftOut({ i18n, format }: Context, board: Board): HTMLElement[] {
  const found = board.subject.publication?.summary.customers ?? null;
  if (found === null) return [];
  const numbers = { n: format.number(found.left_out), read: format.number(found.read) };
  return [h('p', { class: 'muted small' }, i18n.t('figures.leftOut', numbers))];
}

function tile(label: string, value: string): HTMLElement {
  return h('div', {}, h('dt', {}, label), h('dd', {}, value));
}

function worst(name: string, { i18n, format }: Context, board: Board): HTMLElement {
  const deviations = shownGrids(board).map((grid) => Math.abs(grid.deviation[name] ?? 0));
  const worst_deviation = deviations.length ? Math.max(...deviations) : null;
  const tolerance = toleranceOf(board, name);
  const beyond = Math.abs(worst_deviation ?? 0) > tolerance;
  const verdict = i18n.t(beyond ? 'figures.beyond' : 'figures.within', { value: format.percent(tolerance) });
  return h(
    'li',
    {},
    h('span', { class: 'what' }, i18n.measure(name, board.territory)),
    h('strong', {}, worst_deviation === null ? '' : format.percent(worst_deviation)),
    deviationBar(worst_deviation, tolerance),
    h('span', { class: beyond ? 'verdict beyond' : 'verdict' }, verdict),
  );
}
