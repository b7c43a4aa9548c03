/** From a way of colouring to the colour of each grid or cell, and the legend that explains it. */
import {
  classOf,
  colourAreas,
  deviationBreaks,
  groupNeighbours,
  keepColours,
  quantileBreaks,
  type Scheme,
} from './colour.ts';
import { shownGrids, teamName, toleranceOf, type Board } from './board.ts';
import type { Context } from './context.ts';

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
  board: Board,
  scheme: Scheme,
  context: Context,
): Colouring {
  const made = {
    grid: () => byGrid(board, scheme),
    team: () => byTeam(board, scheme, context),
    deviation: () => byDeviation(measure, board, scheme, context),
    cell: () => byCell(measure, board, scheme, context),
  }[mode]();
  if (shownGrids(board).some((grid) => grid.carve_out)) {
    made.legend.items.push({ colour: scheme.none, text: context.i18n.t('legend.carveOut'), hatched: true });
  }
  return made;
}

/** Which colour grids wore last, for each set of cells: plans on the same cells look alike. */
const WORN = new WeakMap<Board['ground'], Map<string, number>>();

function wornBefore({ ground }: Board): Map<string, number> {
  const worn = WORN.get(ground) ?? new Map<string, number>();
  WORN.set(ground, worn);
  return worn;
}

function byGrid(board: Board, scheme: Scheme): Colouring {
  const number = scheme.areas.length - 1;
  const worn = wornBefore(board);
  const before = board.grids.map(({ code }) => worn.get(code) ?? -1);
  const known = before.some((colour) => colour >= 0);
  const colours = known ? keepColours(board.around, before, number) : colourAreas(board.around, number);
  board.grids.forEach(({ code }, i) => worn.set(code, colours[i] ?? 0));
  const grids = new Map(
    board.grids.map((grid, i) => [grid.code, scheme.areas[colours[i] ?? 0] ?? scheme.none]),
  );
  return { grids, cells: null, label: 'code', legend: { title: '', note: '', items: [] } };
}

function byTeam(board: Board, scheme: Scheme, { i18n }: Context): Colouring {
  const { grids } = board;
  const names = new Map(grids.map((grid) => [grid.team, teamName(grid)]));
  names.delete(null);
  const teams = [...names.keys()].sort();
  const groupOf = grids.map((grid) => teams.indexOf(grid.team));
  // Grids without a team join no group; an extra one at the end keeps the indexes whole.
  const around = groupNeighbours(
    board.around,
    groupOf.map((group) => (group < 0 ? teams.length : group)),
    teams.length + 1,
  );
  const few = teams.length <= MOST_TEAMS_LISTED;
  const wears = few ? teams.map((_, i) => i) : colourAreas(around, scheme.areas.length - 1);
  const colourOf = (group: number): string => scheme.areas[wears[group] ?? -1] ?? scheme.none;
  const items = few ? teams.map((team, i) => ({ colour: colourOf(i), text: names.get(team) ?? '' })) : [];
  return {
    grids: new Map(grids.map((grid, i) => [grid.code, colourOf(groupOf[i] ?? -1)])),
    cells: null,
    label: 'team',
    legend: { title: few ? i18n.t('legend.teams') : '', note: '', items },
  };
}

function byDeviation(measure: string, board: Board, scheme: Scheme, { i18n, format }: Context): Colouring {
  const tolerance = toleranceOf(board, measure);
  const breaks = deviationBreaks(tolerance);
  const grids = new Map(
    board.grids.map((grid) => {
      const deviation = grid.deviation[measure];
      const colour = deviation == null ? scheme.none : scheme.diverging[classOf(deviation, breaks)];
      return [grid.code, colour ?? scheme.none];
    }),
  );
  const words = breaks.map((limit) => format.deviation(limit));
  const items = scheme.diverging.map((colour, i) => ({ colour, text: rangeText(words, i, i18n) })).reverse();
  const name = i18n.measure(measure, board.territory);
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

function byCell(measure: string, board: Board, scheme: Scheme, context: Context): Colouring {
  const { i18n } = context;
  const values = (board.ground.columns.measures[measure] ?? []).filter((value) => value > 0);
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
    grids: new Map(board.grids.map((grid) => [grid.code, scheme.none])),
    cells: { measure, breaks, colours, none: scheme.none },
    label: 'code',
    legend: {
      title: i18n.t('legend.cell', { measure: i18n.measure(measure, board.territory) }),
      note: '',
      items: values.length ? items : [],
    },
  };
}

/** The colour of each cell, four bytes a row; cells without a grid are clear. */
export function cellColours(colouring: Colouring, board: Board): Uint8Array {
  const { labels, grids, ground } = board;
  // A word a cell is written at once: this runs for each frame of a stroke.
  const out = new Uint32Array(labels.length);
  const byGrid = Uint32Array.from(grids, ({ code }) => wordOf(colouring.grids.get(code) ?? CLEAR));
  const { cells } = colouring;
  if (!cells) {
    for (let row = 0; row < labels.length; row++) out[row] = byGrid[labels[row] ?? -1] ?? 0;
    return new Uint8Array(out.buffer);
  }
  const values = ground.columns.measures[cells.measure] ?? [];
  const classes = cells.colours.map(wordOf);
  const none = wordOf(cells.none);
  for (let row = 0; row < labels.length; row++) {
    const value = values[row] ?? 0;
    out[row] = value > 0 ? (classes[classOf(value, cells.breaks)] ?? none) : none;
  }
  return new Uint8Array(out.buffer);
}

type Bytes = readonly [number, number, number, number];
const CLEAR = '#00000000';

/** Four bytes as the word which holds them in this machine's order. */
function wordOf(hex: string): number {
  return new Uint32Array(Uint8Array.from(bytesOf(hex)).buffer)[0] ?? 0;
}

/** `#rrggbb` or `#rrggbbaa` as four bytes. */
export function bytesOf(hex: string): Bytes {
  const part = (at: number, other: number): number =>
    hex.length > at ? Number.parseInt(hex.slice(at, at + 2), 16) : other;
  return [part(1, 0), part(3, 0), part(5, 0), part(7, 255)];
}
