/** Talking to the service about one draft: moves, undo and redo, what others did, and proposals to mend it. */
import { ApiError, type Api, type GridProperties } from '../../api.ts';
import { touching, type Board } from '../../board.ts';

interface Figures {
  code: string;
  name: string | null;
  carve_out: boolean;
  cells: number;
  area_km2: number;
  pieces: number;
  totals: Record<string, number>;
  targets?: Record<string, number | null>;
  deviation?: Record<string, number | null>;
  inside?: boolean | null;
}

interface Moved {
  revision: number;
  moved: number;
  report: { grids: Figures[]; emptied: string[]; overall: Record<string, unknown> };
}

export interface MoveLine {
  revision: number;
  kind: string;
  actor: string;
  reason: string | null;
  recorded_at: string;
  cells: number;
}

export interface Hand {
  rows: number[];
  /** Code of a grid of the plan; null for a new one. */
  to: string | null;
  name?: string;
}

export interface Conflict {
  cell: string;
  grid: string | null;
  actor: string;
  revision: number;
}

export interface Proposal {
  moves: { to: string; cells: string[] }[];
  broken: string[];
  outside: string[];
  still_outside: string[];
}

/** Cells which others changed since, of a move which was refused; none if that was not the reason. */
export function conflictsOf(error: unknown): Conflict[] {
  if (!(error instanceof ApiError) || error.status !== 409) return [];
  const { cells } = error.more;
  return Array.isArray(cells) ? (cells as Conflict[]) : [];
}

export class Draft {
  constructor(private readonly api: Api) {}

  /** Make a draft of what is on the map. */
  async branch(board: Board, name: string): Promise<string> {
    const path = `/v1/plans/${board.subject.plan.id}/branch`;
    return (await this.api.post<{ id: string }>(path, { name })).id;
  }

  async hand(board: Board, hands: Hand[], reason: string, dropEmpty: boolean): Promise<Board> {
    const names = board.ground.columns.cells;
    const moves = hands.map(({ rows, to, name }) => ({
      cells: rows.map((row) => names[row]),
      ...(to === null ? { to_new: name ? { name } : {} } : { to }),
    }));
    const moved = await this.api.post<Moved>(this.path(board, 'moves'), {
      base_revision: board.subject.revision,
      moves,
      reason: reason || null,
      drop_empty: dropEmpty,
    });
    return this.followed(board, moved);
  }

  async step(board: Board, which: 'undo' | 'redo'): Promise<Board> {
    const body = { base_revision: board.subject.revision };
    return this.followed(board, await this.api.post<Moved>(this.path(board, which), body));
  }

  history(board: Board): Promise<{ items: MoveLine[] }> {
    return this.api.get(this.path(board, 'moves'), { order: 'newest', limit: 20 });
  }

  repair(board: Board, grids: string[] | null): Promise<Proposal> {
    return this.api.post(this.path(board, 'repair'), { base_revision: board.subject.revision, grids });
  }

  /** The board after everybody's moves up to now; only what changed is asked for, where that is possible. */
  async caughtUp(board: Board): Promise<Board> {
    const { plan } = board.subject;
    const [labelled, figures] = await Promise.all([this.api.labels(plan.id), this.api.planGrids(plan.id)]);
    return withFigures(
      board,
      Int32Array.from(labelled.labels),
      labelled.grids,
      figures.items,
      labelled.revision,
    );
  }

  /** After our own move: new grids have codes of the service's choosing, so labels are read again then. */
  private async followed(board: Board, { revision, report }: Moved): Promise<Board> {
    const strange = report.grids.some(({ code }) => !board.index.has(code));
    if (strange || revision !== board.subject.revision + 1) return this.caughtUp(board);
    const line = await this.api.get<{ moved: { cell: string; to: string | null }[] }>(
      this.path(board, `moves/${revision}`),
    );
    const labels = board.labels.slice();
    for (const { cell, to } of line.moved) {
      labels[board.ground.finder.rowOf(cell)] = to === null ? -1 : (board.index.get(to) ?? -1);
    }
    const told = report.grids.map(({ totals, ...grid }) => ({ ...grid, measures: totals }));
    return withFigures(board, labels, board.grids, told, revision);
  }

  private path(board: Board, what: string): string {
    return `/v1/plans/${board.subject.plan.id}/${what}`;
  }
}

function withFigures(
  board: Board,
  labels: Int32Array,
  grids: readonly Pick<GridProperties, 'code' | 'name' | 'team' | 'carve_out' | 'parent'>[],
  figures: readonly (Partial<GridProperties> & { code: string })[],
  revision: number,
): Board {
  const told = new Map(figures.map((grid) => [grid.code, grid]));
  const before = new Map(board.grids.map((grid) => [grid.code, grid]));
  const made = grids.map(
    (grid): GridProperties =>
      ({
        ...NEW,
        ...before.get(grid.code),
        ...grid,
        ...told.get(grid.code),
      }) as GridProperties,
  );
  return {
    ...board,
    labels,
    grids: made,
    index: new Map(made.map((grid, i) => [grid.code, i])),
    around: touching(board.ground, labels, made.length),
    subject: { ...board.subject, revision },
  };
}

const NEW = {
  team: null,
  parent: null,
  team_name: null,
  lead_name: null,
  cells: 0,
  area_km2: 0,
  pieces: 0,
  measures: {},
  targets: {},
  deviation: {},
  inside: null,
};

/** A name which no other plan has: with a number behind it where others have it already. */
export function freeName(wanted: string, taken: readonly (string | null)[]): string {
  const names = new Set(taken);
  let name = wanted;
  for (let n = 2; names.has(name); n++) name = `${wanted} (${n})`;
  return name;
}
