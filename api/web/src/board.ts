/** What lies on the map: the cells of a tiling, the grid each is in, and the grids with their figures. */
import type {
  Api,
  GridProperties,
  LabelledPlan,
  PlanDetail,
  PlanGrid,
  Publication,
  Roster,
  TerritoryDetail,
} from './api.ts';
import { neighboursOf } from './mesh/edges.ts';
import { Finder } from './mesh/finder.ts';
import { makeMesh, type CellColumns, type Mesh } from './mesh/mesh.ts';
import type { Box } from './geo.ts';

/** A tiling made ready to be drawn and searched; the same one serves all plans on it. */
export interface Ground {
  columns: CellColumns;
  mesh: Mesh;
  finder: Finder;
  /** Neighbours of `row` are `to[from[row]]` up to `to[from[row + 1]]`. */
  neighbours: { from: Uint32Array; to: Int32Array };
  box: Box;
}

/** A publication, or a plan which is not published. */
export interface Subject {
  plan: PlanDetail;
  revision: number;
  publication: Publication | null;
}

export interface Board {
  territory: TerritoryDetail;
  subject: Subject;
  ground: Ground;
  /** Place in `grids` of the grid of each cell; -1 for none. */
  labels: Int32Array;
  grids: GridProperties[];
  index: ReadonlyMap<string, number>;
  /** Rows of cells which may not change hands. */
  locked: ReadonlySet<number>;
  /** Which grids lie next to which. */
  around: Set<number>[];
  measures: string[];
  tolerances: Readonly<Record<string, number>>;
}

export function makeGround(columns: CellColumns): Ground {
  const mesh = makeMesh(columns);
  const finder = new Finder(columns, mesh);
  return {
    columns,
    mesh,
    finder,
    neighbours: neighboursOf(mesh.edges, mesh.count),
    box: finder.box,
  };
}

export function makeBoard(
  territory: TerritoryDetail,
  subject: Subject,
  ground: Ground,
  labelled: LabelledPlan,
  figures: readonly PlanGrid[],
  roster: Roster | null,
): Board {
  const labels = Int32Array.from(labelled.labels);
  const told = new Map(figures.map((grid) => [grid.code, grid]));
  const people = new People(roster);
  const grids = labelled.grids.map((grid) => ({
    ...EMPTY,
    ...told.get(grid.code),
    ...grid,
    team_name: people.team(grid.team),
    lead_name: people.lead(grid.team),
  }));
  const { measures } = subject.plan.params;
  return {
    territory,
    subject,
    ground,
    labels,
    grids,
    index: new Map(grids.map((grid, i) => [grid.code, i])),
    locked: new Set(labelled.locked),
    around: touching(ground, labels, grids.length),
    measures: measures.map(([name]) => name),
    tolerances: Object.fromEntries(measures),
  };
}

const EMPTY = {
  cells: 0,
  area_km2: 0,
  pieces: 0,
  inside: null,
  measures: {},
  targets: {},
  deviation: {},
};

/** Names behind ids, as far as the caller may see them. */
class People {
  private readonly teams: Map<string, string>;
  private readonly leads = new Map<string, string>();

  constructor(roster: Roster | null) {
    this.teams = new Map(roster?.teams.map((team) => [team.id, team.name]));
    const names = new Map(roster?.people.map((person) => [person.id, person.name]));
    for (const member of roster?.members ?? []) {
      if (member.role === 'lead' || member.acting) {
        if (member.acting || !this.leads.has(member.team))
          this.leads.set(member.team, names.get(member.person) ?? member.person);
      }
    }
  }

  team(id: string | null): string | null {
    return id === null ? null : (this.teams.get(id) ?? id);
  }

  lead(id: string | null): string | null {
    return id === null ? null : (this.leads.get(id) ?? null);
  }
}

/** Which grids share an edge between two of their cells. */
export function touching({ mesh }: Ground, labels: Int32Array, grids: number): Set<number>[] {
  const around = Array.from({ length: grids }, () => new Set<number>());
  const { left, right, count } = mesh.edges;
  for (let i = 0; i < count; i++) {
    const a = labels[left[i] ?? 0] ?? -1;
    const b = (right[i] ?? -1) < 0 ? -1 : (labels[right[i] ?? 0] ?? -1);
    if (a < 0 || b < 0 || a === b) continue;
    around[a]?.add(b);
    around[b]?.add(a);
  }
  return around;
}

/**
 * A cell deep inside each grid, where a name may stand: farthest from other grids in steps from cell to cell.
 *
 * @returns rows, one a grid; -1 for a grid without cells.
 */
export function deepest({ neighbours, mesh }: Ground, labels: Int32Array, grids: number): Int32Array {
  const { from, to } = neighbours;
  const { left, right, count } = mesh.edges;
  const depth = new Int32Array(mesh.count).fill(-1);
  let rim: number[] = [];
  const onRim = (row: number): void => {
    if (row < 0 || (labels[row] ?? -1) < 0 || depth[row] === 0) return;
    depth[row] = 0;
    rim.push(row);
  };
  for (let i = 0; i < count; i++) {
    const [a, b] = [left[i] ?? -1, right[i] ?? -1];
    if (b >= 0 && labels[a] === labels[b]) continue;
    onRim(a);
    onRim(b);
  }
  const best = new Int32Array(grids).fill(-1);
  for (let row = 0; row < mesh.count; row++) {
    const label = labels[row] ?? -1;
    if (label >= 0 && (best[label] ?? -1) < 0) best[label] = row;
  }
  for (let step = 1; rim.length > 0; step++) {
    const next: number[] = [];
    for (const row of rim) {
      best[labels[row] ?? 0] = row;
      for (let i = from[row] ?? 0; i < (from[row + 1] ?? 0); i++) {
        const other = to[i] ?? 0;
        if (depth[other] === -1 && labels[other] === labels[row]) {
          depth[other] = step;
          next.push(other);
        }
      }
    }
    rim = next;
  }
  return best;
}

/** A team as people know it. */
export function teamName(grid: GridProperties): string {
  return grid.team_name ?? grid.team ?? '';
}

export function toleranceOf(board: Board, measure: string): number {
  return board.tolerances[measure] ?? 0.1;
}

/** Grids which are there: those without cells have been left, unless they are carve-outs drawn as outlines. */
export function shownGrids(board: Board): GridProperties[] {
  return board.grids.filter((grid) => grid.cells > 0);
}

/** The newest publication of a line already in force, else the newest to come. */
export function currentPublication(
  items: readonly Publication[],
  now: Date,
  line = 'base',
): Publication | undefined {
  const found = items.filter((item) => item.line === line).sort((a, b) => b.n - a.n);
  return found.find((item) => new Date(item.effective_at) <= now) ?? found[0];
}

/** Reads what a board is made of; tilings are kept, for they do not change but in their measures. */
export class Boards {
  private readonly grounds = new Map<string, { etag: string; ground: Ground }>();

  constructor(private readonly api: Api) {}

  async ofPublication(territory: TerritoryDetail, publication: Publication): Promise<Board> {
    return this.read(territory, publication.plan, publication);
  }

  async ofPlan(territory: TerritoryDetail, plan: string): Promise<Board> {
    return this.read(territory, plan, null);
  }

  async ground(tiling: string): Promise<Ground> {
    const kept = this.grounds.get(tiling);
    const found = await this.api.cells(tiling, kept?.etag ?? null);
    if (found.value === null && kept) return kept.ground;
    const ground = makeGround(found.value as CellColumns);
    this.grounds.set(tiling, { etag: found.etag ?? '', ground });
    return ground;
  }

  private async read(
    territory: TerritoryDetail,
    id: string,
    publication: Publication | null,
  ): Promise<Board> {
    const { api } = this;
    const plan = await api.plan(id);
    const [ground, labelled, figures, roster] = await Promise.all([
      this.ground(plan.tiling),
      api.labels(id),
      api.planGrids(id),
      api.roster(territory.id),
    ]);
    const subject = { plan, revision: labelled.revision, publication };
    return makeBoard(territory, subject, ground, labelled, figures.items, roster);
  }
}
