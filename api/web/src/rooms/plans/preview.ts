/** A plan on the map while it is being made: its grids have numbers yet, no codes. */
import { ApiError, type GridProperties, type PlanDetail, type TerritoryDetail } from '../../api.ts';
import { touching, type Board, type Ground } from '../../board.ts';
import { byId } from '../../dom.ts';
import type { Workspace } from '../../workspace.ts';

/** Milliseconds between two looks; the service looks no more often. */
const EVERY = 1500;

export class Preview {
  private plan: PlanDetail | null = null;
  private last = 0;
  private shown = false;
  /** Counts ends, so that what comes later is dropped. */
  private turn = 0;

  constructor(private readonly workspace: Workspace) {}

  /** Show how the plan of a job stands, if there is something new to see. */
  async look(job: string, plan: string): Promise<void> {
    const { workspace } = this;
    const { territory, context } = workspace;
    const now = performance.now();
    if (!territory || now - this.last < EVERY) return;
    this.last = now;
    const { turn } = this;
    try {
      const path = `/v1/jobs/${job}/preview`;
      const { labels } = await context.api.get<{ labels: number[] | null }>(path);
      // Before borders move there is nothing to see.
      if (labels === null) return;
      this.plan ??= await context.api.plan(plan);
      const ground = await workspace.boards.ground(this.plan.tiling);
      if (turn !== this.turn) return;
      await workspace.preview(previewBoard(territory, this.plan, ground, Int32Array.from(labels)));
      byId('notice').hidden = true;
      this.shown = true;
    } catch (error) {
      // What goes wrong with the job is told by those who follow it.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** Take it off the map again, where no plan comes in its place. */
  async stop(): Promise<void> {
    const { stage, board, territory } = this.workspace;
    const { shown } = this;
    this.end();
    if (shown && board) await this.workspace.preview(null);
    else if (shown && territory) {
      await stage?.clear();
      await stage?.showTerritory(territory.boundary);
    }
  }

  /** Another board comes in its place. */
  end(): void {
    this.turn++;
    this.plan = null;
    this.shown = false;
  }
}

/** A board of nothing but labels: sums and deviations are worked out here. */
export function previewBoard(
  territory: TerritoryDetail,
  plan: PlanDetail,
  ground: Ground,
  labels: Int32Array,
): Board {
  const { columns } = ground;
  const { measures } = plan.params;
  const names = measures.map(([name]) => name).filter((name) => name in columns.measures);
  const count = labels.reduce((most, label) => Math.max(most, label + 1), 0);
  const sums = names.map(() => new Float64Array(count));
  const cells = new Int32Array(count);
  const area = new Float64Array(count);
  labels.forEach((label, row) => {
    if (label < 0) return;
    cells[label]! += 1;
    area[label]! += columns.area_km2[row] ?? 0;
    names.forEach((name, i) => (sums[i]![label]! += columns.measures[name]?.[row] ?? 0));
  });
  const targets = sums.map((sum) => sum.reduce((a, b) => a + b, 0) / Math.max(1, count));
  const byName = (values: (i: number) => number): Record<string, number> =>
    Object.fromEntries(names.map((name, i) => [name, values(i)]));
  const grids = Array.from({ length: count }, (_, grid): GridProperties => ({
    code: String(grid + 1),
    name: null,
    team: null,
    team_name: null,
    lead_name: null,
    carve_out: false,
    parent: null,
    cells: cells[grid] ?? 0,
    area_km2: area[grid] ?? 0,
    pieces: 1,
    measures: byName((i) => sums[i]?.[grid] ?? 0),
    targets: byName((i) => targets[i] ?? 0),
    deviation: byName((i) => (targets[i] ? (sums[i]?.[grid] ?? 0) / targets[i]! - 1 : 0)),
    inside: null,
  }));
  return {
    territory,
    subject: { plan, revision: 0, publication: null },
    ground,
    labels,
    grids,
    index: new Map(grids.map(({ code }, i) => [code, i])),
    locked: new Set(),
    around: touching(ground, labels, count),
    measures: names,
    tolerances: Object.fromEntries(measures),
  };
}
