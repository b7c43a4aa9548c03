/** What handing cells over would do, worked out here before anything is sent. */
import { touching, type Board } from '../../board.ts';
import type { GridProperties } from '../../api.ts';

/** Row -> place of the grid which is to have the cell. */
export type Pending = ReadonlyMap<number, number>;

export interface GridEffect {
  /** Place in the grids. */
  grid: number;
  before: GridProperties;
  after: GridProperties;
}

export interface Effect {
  board: Board;
  grids: GridEffect[];
  /** Cells which would change hands. */
  cells: number;
  /** Sum of the measure of customers on those which get another team, where there is one. */
  customers: number | null;
  /** Grids which would be in several pieces and are whole now. */
  broken: string[];
  /** Grids which would have no cells left. */
  emptied: string[];
  /** Rows among them which are locked. */
  locked: number[];
}

/** The measure which counts customers, by the name everybody gives it. */
const CUSTOMERS = 'customers';

export function effectOf(board: Board, pending: Pending): Effect {
  const { columns } = board.ground;
  const labels = board.labels.slice();
  const sums = new Map<number, { cells: number; area: number; measures: Record<string, number> }>();
  const of = (grid: number): { cells: number; area: number; measures: Record<string, number> } => {
    const found = sums.get(grid) ?? { cells: 0, area: 0, measures: {} };
    sums.set(grid, found);
    return found;
  };
  let cells = 0;
  let customers = 0;
  for (const [row, to] of pending) {
    const from = labels[row] ?? -1;
    if (from === to) continue;
    labels[row] = to;
    cells++;
    if (ownerOf(board, from) !== ownerOf(board, to)) customers += columns.measures[CUSTOMERS]?.[row] ?? 0;
    for (const [grid, sign] of [
      [from, -1],
      [to, 1],
    ] as const) {
      if (grid < 0) continue;
      const sum = of(grid);
      sum.cells += sign;
      sum.area += sign * (columns.area_km2[row] ?? 0);
      for (const name of Object.keys(columns.measures)) {
        sum.measures[name] = (sum.measures[name] ?? 0) + sign * (columns.measures[name]?.[row] ?? 0);
      }
    }
  }
  const touched = [...sums.keys()];
  const pieces = piecesOf(board, labels, new Set(touched));
  const grids = board.grids.slice();
  const effects = touched.map((grid): GridEffect => {
    const before = board.grids[grid] as GridProperties;
    const after = changed(board, before, of(grid), pieces.get(grid) ?? 0);
    grids[grid] = after;
    return { grid, before, after };
  });
  return {
    board: { ...board, labels, grids, around: touching(board.ground, labels, grids.length) },
    grids: effects.sort((a, b) => a.before.code.localeCompare(b.before.code)),
    cells,
    customers: CUSTOMERS in columns.measures ? customers : null,
    broken: effects.filter(({ before, after }) => after.pieces > Math.max(1, before.pieces)).map(codeOf),
    emptied: effects.filter(({ after }) => after.cells === 0).map(codeOf),
    locked: [...pending.keys()].filter((row) => board.locked.has(row) && board.labels[row] !== labels[row]),
  };
}

/** Whose a grid is: its team's, or where it has none its own. */
function ownerOf({ grids }: Board, grid: number): string {
  const { team, code } = grids[grid] ?? { team: null, code: '' };
  return team === null ? `grid ${code}` : `team ${team}`;
}

function codeOf({ before }: GridEffect): string {
  return before.code;
}

function changed(
  board: Board,
  before: GridProperties,
  sum: { cells: number; area: number; measures: Record<string, number> },
  pieces: number,
): GridProperties {
  const measures: Record<string, number> = {};
  const deviation: Record<string, number | null> = {};
  let inside = true;
  for (const name of new Set([...Object.keys(before.measures), ...Object.keys(sum.measures)])) {
    measures[name] = (before.measures[name] ?? 0) + (sum.measures[name] ?? 0);
    const target = before.targets[name];
    deviation[name] = target ? measures[name] / target - 1 : null;
    inside &&= Math.abs(deviation[name] ?? 0) <= (board.tolerances[name] ?? Infinity);
  }
  return {
    ...before,
    cells: before.cells + sum.cells,
    area_km2: Math.max(0, before.area_km2 + sum.area),
    pieces,
    measures,
    deviation,
    inside: before.inside === null ? null : inside,
  };
}

/** In how many pieces each of some grids is. */
export function piecesOf(board: Board, labels: Int32Array, grids: ReadonlySet<number>): Map<number, number> {
  const { from, to } = board.ground.neighbours;
  const seen = new Uint8Array(labels.length);
  const pieces = new Map<number, number>();
  const stack: number[] = [];
  for (let row = 0; row < labels.length; row++) {
    const grid = labels[row] ?? -1;
    if (seen[row] || !grids.has(grid)) continue;
    pieces.set(grid, (pieces.get(grid) ?? 0) + 1);
    seen[row] = 1;
    stack.push(row);
    for (let here = stack.pop(); here !== undefined; here = stack.pop()) {
      for (let i = from[here] ?? 0; i < (from[here + 1] ?? 0); i++) {
        const other = to[i] ?? 0;
        if (!seen[other] && labels[other] === grid) {
          seen[other] = 1;
          stack.push(other);
        }
      }
    }
  }
  return pieces;
}

/** Rows of a grid. */
export function rowsOf(labels: Int32Array, grid: number): number[] {
  const rows: number[] = [];
  labels.forEach((label, row) => label === grid && rows.push(row));
  return rows;
}

/**
 * Deal a grid's cells out to its neighbours: each goes to the grid it is reached from first, step by step
 * from the borders inwards.
 */
export function dissolved(board: Board, grid: number): Map<number, number> {
  const { from, to } = board.ground.neighbours;
  const given = new Map<number, number>();
  let rim: number[] = [];
  const take = (row: number, label: number, next: number[]): void => {
    given.set(row, label);
    next.push(row);
  };
  for (const row of rowsOf(board.labels, grid)) {
    for (let i = from[row] ?? 0; i < (from[row + 1] ?? 0); i++) {
      const label = board.labels[to[i] ?? 0] ?? -1;
      if (label >= 0 && label !== grid && !board.grids[label]?.carve_out) {
        take(row, label, rim);
        break;
      }
    }
  }
  while (rim.length > 0) {
    const next: number[] = [];
    for (const row of rim) {
      for (let i = from[row] ?? 0; i < (from[row + 1] ?? 0); i++) {
        const other = to[i] ?? 0;
        if (board.labels[other] === grid && !given.has(other)) take(other, given.get(row) ?? -1, next);
      }
    }
    rim = next;
  }
  return given;
}

/**
 * Half of a grid: the cells on one side of the line across its longer way which parts the first measure
 * (or the number of cells) evenly, and which leaves both halves whole where it can.
 */
export function half(board: Board, grid: number): number[] {
  const { finder, columns } = board.ground;
  const rows = rowsOf(board.labels, grid);
  const values = columns.measures[board.measures[0] ?? ''];
  const total = rows.reduce((sum, row) => sum + (values?.[row] ?? 0), 0);
  const weight = (row: number): number => (total > 0 ? (values?.[row] ?? 0) : 1);
  const middles = rows.map((row) => finder.middle(row));
  const spread = (axis: 0 | 1): number => {
    const along = middles.map((middle) => middle[axis]);
    const degrees = Math.max(...along) - Math.min(...along);
    return axis === 0 ? degrees * Math.cos((middles[0]?.[1] ?? 0) * (Math.PI / 180)) : degrees;
  };
  const axes: (0 | 1)[] = spread(0) >= spread(1) ? [0, 1] : [1, 0];
  let first: number[] = [];
  for (const axis of axes) {
    const order = rows.map((row, i) => [middles[i]?.[axis] ?? 0, row] as const).sort((a, b) => a[0] - b[0]);
    const all = order.reduce((sum, [, row]) => sum + weight(row), 0);
    const part: number[] = [];
    let sum = 0;
    for (const [, row] of order) {
      if (sum >= all / 2 || part.length + 1 === order.length) break;
      part.push(row);
      sum += weight(row);
    }
    if (first.length === 0) first = part;
    const labels = board.labels.slice();
    for (const row of part) labels[row] = board.grids.length;
    const pieces = piecesOf(board, labels, new Set([grid, board.grids.length]));
    if ([...pieces.values()].every((n) => n === 1)) return part;
  }
  return first;
}
