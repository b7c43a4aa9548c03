/** Starting solves and following them until they end. */
import { ApiError, type Api } from '../../api.ts';
import type { Board } from '../../board.ts';

export interface Job {
  id: string;
  kind: string;
  status: 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  share: number;
  message: string;
  result: Record<string, unknown> | null;
  problem: { title?: string; detail?: string; cure?: string } | null;
}

export interface Tiling {
  id: string;
  kind: string;
  resolution: number | null;
  cells: number;
  measures: Record<string, { total: number }>;
  recorded_at: string;
  customers?: unknown;
}

export interface Lock {
  cell: string;
  /** Code of the grid it must be in; null where it stays in the one it has. */
  grid: string | null;
}

export interface MeasureWish {
  name: string;
  tolerance: number;
  capacity: number | null;
}

export interface Wish {
  tiling: string;
  name: string;
  grids: number | null;
  measures: MeasureWish[];
  nest: string | null;
  carveLarge: boolean;
  compactness: number;
  seeds: string;
  locks: readonly Lock[];
  /** Id of an uploaded layer. */
  barriers: string | null;
  seconds: number | null;
  sweeps: number | null;
  seed: number;
}

export interface Realignment {
  name: string;
  /** Customers who may change owner, in per cent of the first measure. */
  percent: number;
  choices: boolean;
  locks: readonly Lock[];
}

export interface Choice {
  plan: string;
  name: string;
  moved_share: number;
  worst_deviation: Record<string, number>;
  chosen: boolean;
}

/** Points as people write them, one a line: longitude and latitude. */
export function pointsOf(text: string): { lon: number; lat: number }[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .split(/[,;\s]+/)
        .filter(Boolean)
        .map(Number),
    )
    .filter((pair) => pair.length === 2 && pair.every(Number.isFinite))
    .map(([lon = 0, lat = 0]) => ({ lon, lat }));
}

/** What `POST /v1/plans` is sent. */
export function bodyOf(wish: Wish): Record<string, unknown> {
  const seeds = pointsOf(wish.seeds);
  return {
    tiling: wish.tiling,
    name: wish.name,
    grids: wish.grids ?? 'auto',
    measures: wish.measures.map(({ name, tolerance, capacity }) => ({
      name,
      tolerance: `${tolerance}%`,
      ...(capacity === null ? {} : { capacity }),
    })),
    compactness: wish.compactness,
    seed: wish.seed,
    ...(wish.nest === null ? {} : { nest_in: wish.nest }),
    ...(wish.carveLarge ? { carve_out: 'large' } : {}),
    ...(seeds.length ? { seeds } : {}),
    ...(wish.locks.length ? { locks: wish.locks.map(lockOf) } : {}),
    ...(wish.barriers === null ? {} : { barriers: { layer: wish.barriers } }),
    ...(wish.sweeps === null ? {} : { sweeps: wish.sweeps }),
    ...(wish.seconds === null ? {} : { time_limit: wish.seconds }),
  };
}

function lockOf({ cell, grid }: Lock): Record<string, string> {
  return grid === null ? { cell } : { cell, grid };
}

export class Solving {
  constructor(private readonly api: Api) {}

  async tilings(territory: string): Promise<Tiling[]> {
    return (await this.api.get<{ items: Tiling[] }>(`/v1/territories/${territory}/tilings`)).items;
  }

  async solve(wish: Wish): Promise<{ plan: string; job: Job }> {
    return this.api.post('/v1/plans', bodyOf(wish));
  }

  async realign(
    { subject }: Board,
    { name, percent, choices, locks }: Realignment,
  ): Promise<{ plan: string; job: Job }> {
    const { revision } = await this.api.plan(subject.plan.id);
    const kept = locks.length ? { locks: locks.map(({ cell }) => ({ cell })) } : {};
    const body = { max_disruption: `${percent}%`, choices, name, ...kept };
    return this.api.post(`/v1/plans/${subject.plan.id}/realign`, body, { revision });
  }

  cancel(job: string): Promise<unknown> {
    return this.api.send('DELETE', `/v1/jobs/${job}`);
  }

  rename(plan: string, revision: number, name: string): Promise<unknown> {
    return this.api.send('PATCH', `/v1/plans/${plan}`, { body: { name }, revision });
  }

  /**
   * Follow a job until it ends.
   *
   * @throws ApiError what went wrong in it, with the cure.
   */
  async follow(id: string, told: (job: Job) => void, pause = 400): Promise<Job> {
    for (;;) {
      const job = await this.api.get<Job>(`/v1/jobs/${id}`);
      told(job);
      if (job.status === 'failed') {
        const { title = '', detail = '', cure = '' } = job.problem ?? {};
        throw new ApiError(422, title, detail, cure, job.problem ?? {});
      }
      if (job.status !== 'queued' && job.status !== 'running') return job;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
