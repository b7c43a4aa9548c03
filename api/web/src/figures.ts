/** Key figures of the publication. */
import type { MeasureSummary } from './api.ts';
import { deviationBar } from './bar.ts';
import { h } from './dom.ts';
import { toleranceOf, type Context, type View } from './view.ts';

export function renderFigures(root: HTMLElement, context: Context, view: View): void {
  const { i18n, format } = context;
  const { grids, cells, summary } = view.publication;
  root.replaceChildren(
    h('h2', {}, i18n.t('figures.title')),
    h(
      'dl',
      { class: 'tiles' },
      tile(i18n.t('figures.grids'), format.number(grids)),
      tile(i18n.t('figures.teams'), format.number(summary.teams)),
      tile(i18n.t('figures.cells'), format.number(cells)),
      ...placed(context, view),
    ),
    ...leftOut(context, view),
    h('p', { class: 'muted small rule' }, i18n.t('figures.worst')),
    h(
      'ul',
      { class: 'worst', 'aria-label': i18n.t('figures.worst') },
      ...summary.measures.map((measure) => worst(measure, context, view)),
    ),
  );
}

/** A publication of cells with measures of their own knows no customers. */
function placed({ i18n, format }: Context, view: View): HTMLElement[] {
  const found = view.publication.summary.customers;
  if (found === null) return [];
  const customers = i18n.customers(view.territory);
  return [
    tile(i18n.t('figures.placed', { customers }), format.number(found.placed)),
    tile(i18n.t('figures.rate'), format.percent(found.placement_rate)),
  ];
}

function leftOut({ i18n, format }: Context, view: View): HTMLElement[] {
  const found = view.publication.summary.customers;
  if (found === null) return [];
  const numbers = { n: format.number(found.left_out), read: format.number(found.read) };
  return [h('p', { class: 'muted small' }, i18n.t('figures.leftOut', numbers))];
}

function tile(label: string, value: string): HTMLElement {
  return h('div', {}, h('dt', {}, label), h('dd', {}, value));
}

function worst(
  { name, worst_deviation }: MeasureSummary,
  { i18n, format }: Context,
  view: View,
): HTMLElement {
  const tolerance = toleranceOf(view, name);
  const beyond = Math.abs(worst_deviation ?? 0) > tolerance;
  const verdict = i18n.t(beyond ? 'figures.beyond' : 'figures.within', { value: format.percent(tolerance) });
  return h(
    'li',
    {},
    h('span', { class: 'what' }, i18n.measure(name, view.territory)),
    h('strong', {}, worst_deviation === null ? '' : format.percent(worst_deviation)),
    deviationBar(worst_deviation, tolerance),
    h('span', { class: beyond ? 'verdict beyond' : 'verdict' }, verdict),
  );
}
