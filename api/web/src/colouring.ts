/** From a way of colouring to the colour of each grid or cell, and the legend that explains it. */
import {
  classOf,
  colourAreas,
  deviationBreaks,
  groupNeighbours,
  quantileBreaks,
  type Scheme,
} from './colour.ts';
import { teamName, toleranceOf, type Cells, type Context, type View } from './view.ts';

export const MODES = ['grid', 'team', 'deviation', 'cell'] as const;
export type Mode = (typeof MODES)[number];

export interface LegendItem {
  colour: string;
  text: string;
  hatched?: boolean;
}

export interface Colouring {
  /** Colour of each grid, by code. */
  grids: ReadonlyMap<string, string>;
  /** Class borders and colours of the cells, where they carry the colour. */
  cells: { measure: string; breaks: number[]; colours: string[]; none: string } | null;
  /** What is written on a grid. */
  label: 'code' | 'team';
  legend: { title: string; note: string; items: LegendItem[] };
}

const MOST_TEAMS_LISTED = 8;

export function makeColouring(
  mode: Mode,
  measure: string,
  view: View,
  cells: Cells,
  scheme: Scheme,
  context: Context,
): Colouring {
  const made = {
    grid: () => byGrid(view, scheme),
    team: () => byTeam(view, scheme, context),
    deviation: () => byDeviation(measure, view, scheme, context),
    cell: () => byCell(measure, view, cells, scheme, context),
  }[mode]();
  if (view.grids.features.some((grid) => grid.properties.carve_out)) {
    made.legend.items.push({ colour: scheme.none, text: context.i18n.t('legend.carveOut'), hatched: true });
  }
  return made;
}

function byGrid(view: View, scheme: Scheme): Colouring {
  const colours = colourAreas(view.around, scheme.areas.length - 1);
  const grids = new Map(
    view.grids.features.map((grid, i) => [
      grid.properties.code,
      scheme.areas[colours[i] ?? 0] ?? scheme.none,
    ]),
  );
  return { grids, cells: null, label: 'code', legend: { title: '', note: '', items: [] } };
}

function byTeam(view: View, scheme: Scheme, { i18n }: Context): Colouring {
  const features = view.grids.features;
  const names = new Map(features.map(({ properties }) => [properties.team, teamName(properties)]));
  names.delete(null);
  const teams = [...names.keys()].sort();
  const groupOf = features.map(({ properties }) => teams.indexOf(properties.team));
  // Grids without a team join no group; an extra one at the end keeps the indexes whole.
  const around = groupNeighbours(
    view.around,
    groupOf.map((group) => (group < 0 ? teams.length : group)),
    teams.length + 1,
  );
  const few = teams.length <= MOST_TEAMS_LISTED;
  const wears = few ? teams.map((_, i) => i) : colourAreas(around, scheme.areas.length - 1);
  const colourOf = (group: number): string => scheme.areas[wears[group] ?? -1] ?? scheme.none;
  const items = few ? teams.map((team, i) => ({ colour: colourOf(i), text: names.get(team) ?? '' })) : [];
  return {
    grids: new Map(features.map(({ properties }, i) => [properties.code, colourOf(groupOf[i] ?? -1)])),
    cells: null,
    label: 'team',
    legend: { title: few ? i18n.t('legend.teams') : '', note: '', items },
  };
}

function byDeviation(measure: string, view: View, scheme: Scheme, { i18n, format }: Context): Colouring {
  const tolerance = toleranceOf(view, measure);
  const breaks = deviationBreaks(tolerance);
  const grids = new Map(
    view.grids.features.map(({ properties }) => {
      const deviation = properties.deviation[measure];
      const colour = deviation == null ? scheme.none : scheme.diverging[classOf(deviation, breaks)];
      return [properties.code, colour ?? scheme.none];
    }),
  );
  const words = breaks.map((limit) => format.deviation(limit));
  const items = scheme.diverging.map((colour, i) => ({ colour, text: rangeText(words, i, i18n) })).reverse();
  const name = i18n.measure(measure, view.territory);
  return {
    grids,
    cells: null,
    label: 'code',
    legend: {
      title: i18n.t('legend.deviation', { measure: name }),
      note: i18n.t('legend.tolerance', { value: format.percent(tolerance) }),
      items,
    },
  };
}

function rangeText(limits: string[], i: number, i18n: Context['i18n']): string {
  const low = limits[i - 1];
  const high = limits[i];
  if (low === undefined) return i18n.t('legend.below', { value: high ?? '' });
  if (high === undefined) return i18n.t('legend.above', { value: low });
  return i18n.t('legend.range', { low, high });
}

/** A class of whole numbers in words: `3`, `4 to 9`, `10 or more`; others by their borders. */
function cellClassText(
  breaks: readonly number[],
  i: number,
  least: number,
  whole: boolean,
  context: Context,
): string {
  const { i18n, format } = context;
  const low = breaks[i - 1] ?? least;
  const high = breaks[i];
  if (high === undefined) return i18n.t('legend.from', { value: format.compact(low) });
  const last = whole && high < 100_000 ? high - 1 : high;
  if (last <= low) return format.compact(low);
  return i18n.t('legend.range', { low: format.compact(low), high: format.compact(last) });
}

function byCell(measure: string, view: View, cells: Cells, scheme: Scheme, context: Context): Colouring {
  const { i18n } = context;
  const values = cells.map(({ properties }) => Number(properties[measure] ?? 0)).filter((value) => value > 0);
  const breaks = quantileBreaks(values, scheme.sequential.length);
  const colours = scheme.sequential.slice(0, breaks.length + 1);
  const whole = values.every(Number.isInteger);
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const items = colours.map((colour, i) => ({
    colour,
    text: cellClassText(breaks, i, least, whole, context),
  }));
  items.reverse().push({ colour: scheme.none, text: i18n.t('legend.none') });
  return {
    grids: new Map(view.grids.features.map(({ properties }) => [properties.code, scheme.none])),
    cells: { measure, breaks, colours, none: scheme.none },
    label: 'code',
    legend: {
      title: i18n.t('legend.cell', { measure: i18n.measure(measure, view.territory) }),
      note: '',
      items: values.length ? items : [],
    },
  };
}
