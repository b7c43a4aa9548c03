/** What is chosen and not saved yet: strokes, one over the other, which can be taken back one by one. */
import type { GridProperties } from '../../api.ts';
import { shownGrids, type Board } from '../../board.ts';
import type { Conflict, Hand } from './draft.ts';

/** Stands for a grid which is to be made. */
export const NEW = -2;

/** Row -> place of the grid it is given to; -1 in a stroke takes the cell out again. */
type Stroke = Map<number, number>;

export class Chosen {
  private pending: Stroke = new Map();
  private strokes: Stroke[] = [];
  /** The stroke which the pointer is drawing. */
  private drawn: Stroke | null = null;
  /** Cells of these which others changed since. */
  conflicts: Conflict[] = [];

  clear(): void {
    this.pending = new Map();
    this.strokes = [];
    this.drawn = null;
    this.conflicts = [];
  }

  /** Go on with a stroke. */
  touch(rows: readonly number[], to: number): void {
    this.drawn ??= new Map();
    for (const row of rows) this.drawn.set(row, to);
  }

  /** End it; false where there is none. */
  end(): boolean {
    const { drawn } = this;
    this.drawn = null;
    if (drawn) this.add(drawn);
    return drawn !== null;
  }

  add(stroke: Stroke): void {
    this.strokes.push(stroke);
    paint(this.pending, stroke);
  }

  /** Take the last stroke back; false where there is none. */
  back(): boolean {
    if (!this.strokes.pop()) return false;
    this.pending = new Map();
    for (const stroke of this.strokes) paint(this.pending, stroke);
    return true;
  }

  /** Leave out what others changed. */
  yield(board: Board): void {
    for (const { cell } of this.conflicts) this.pending.delete(board.ground.finder.rowOf(cell));
    this.conflicts = [];
  }

  /** All of it, with the stroke being drawn. */
  now(): ReadonlyMap<number, number> {
    if (!this.drawn) return this.pending;
    const now = new Map(this.pending);
    paint(now, this.drawn);
    return now;
  }

  /** What is chosen, with other places of the grids. */
  placed(place: (to: number) => number): Chosen {
    const moved = (stroke: Stroke): Stroke => new Map([...stroke].map(([row, to]) => [row, place(to)]));
    const made = new Chosen();
    made.pending = moved(this.pending);
    made.strokes = this.strokes.map(moved);
    made.conflicts = this.conflicts;
    return made;
  }

  /** As the service is to be told of it. */
  hands(board: Board): Hand[] {
    const byGrid = new Map<number, number[]>();
    for (const [row, to] of this.pending) {
      if (board.labels[row] === to) continue;
      const rows = byGrid.get(to) ?? [];
      rows.push(row);
      byGrid.set(to, rows);
    }
    return [...byGrid].map(([to, rows]) => ({
      rows,
      to: to === NEW ? null : (board.grids[to]?.code ?? null),
    }));
  }
}

function paint(pending: Stroke, stroke: ReadonlyMap<number, number>): void {
  for (const [row, to] of stroke) {
    if (to === -1) pending.delete(row);
    else pending.set(row, to);
  }
}

/** The board with one more grid at the end, where cells are given to a new one. */
export function withNew(board: Board, pending: ReadonlyMap<number, number>, name: string): Board {
  const [like] = board.grids;
  if (!like || !hasNew(pending)) return board;
  const grid: GridProperties = {
    ...like,
    code: '+',
    name,
    team: null,
    team_name: null,
    lead_name: null,
    carve_out: false,
    cells: 0,
    area_km2: 0,
    pieces: 0,
    measures: Object.fromEntries(Object.keys(like.measures).map((measure) => [measure, 0])),
    targets: averageTargets(board),
    deviation: {},
  };
  const grids = [...board.grids, grid];
  return { ...board, grids, index: new Map(grids.map(({ code }, i) => [code, i])) };
}

/** Row -> place, where the new grid has the place after all others. */
export function resolved(pending: ReadonlyMap<number, number>, board: Board): ReadonlyMap<number, number> {
  if (!hasNew(pending)) return pending;
  return new Map([...pending].map(([row, to]) => [row, to === NEW ? board.grids.length : to]));
}

function hasNew(pending: ReadonlyMap<number, number>): boolean {
  for (const to of pending.values()) if (to === NEW) return true;
  return false;
}

/** What a new grid should have: the sum of all targets, dealt out to one grid more. */
function averageTargets(board: Board): Record<string, number | null> {
  const grids = shownGrids(board).filter((grid) => !grid.carve_out);
  return Object.fromEntries(
    board.measures.map((measure) => {
      const sum = grids.reduce((all, grid) => all + (grid.targets[measure] ?? 0), 0);
      return [measure, sum / (grids.length + 1)];
    }),
  );
}
