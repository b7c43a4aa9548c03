/** What the service is asked in this room. */
import type { Api, PlanDetail } from '../../api.ts';
import type { Board } from '../../board.ts';
import { Solving, type Job } from '../plans/solving.ts';
import type { Operation } from './membership.ts';

/** A grid which is to have this team, wherever the others go. */
export interface Pin {
  grid: string;
  team: string;
}

export interface LoadRow {
  id: string | null;
  name: string;
  loads: Record<string, number | null>;
  used: Record<string, number>;
  over: string[];
  distance_km: { mean: number | null; p90: number | null };
  before: { loads?: Record<string, number | null> } | null;
}

export interface Fairness {
  mean: number | null;
  spread: number | null;
  gini: number | null;
}

export interface Loads {
  parts: Record<string, string | null>;
  teams: LoadRow[];
  people: LoadRow[];
  fairness: { teams: Record<string, Fairness>; people: Record<string, Fairness> };
}

export interface Violation {
  rule: string;
  severity: 'block' | 'warn';
  sentence: Record<string, string>;
  cure: Record<string, string>;
}

interface Placed {
  value: number | null;
  rank?: number | null;
  tied?: boolean;
}

export interface ScoreGrid {
  code: string;
  name: string | null;
  team: { id: string; name: string } | null;
  area_km2: number;
  figures: Record<string, Placed>;
  score: Placed | null;
}

export interface Scorecard {
  absent: { figure: string }[];
  grids: ScoreGrid[];
}

export interface Handover {
  id: string | null;
  kind: 'leaver' | 'grid';
  state: 'shown' | 'draft' | 'scheduled' | 'acting' | 'done' | 'undone';
  effective_at: string;
  reason: string;
  person: string | null;
  grid: string | null;
  plan: string | null;
  effect: {
    passed?: {
      team: string;
      role: string;
      person: string;
      to: string;
      start: string;
      acting: string | null;
    }[];
    vacant?: { team: string; role: string }[];
    heads?: string[];
    team_before?: string;
    team_after?: string;
  };
  proof: { after: { moments: string[]; checked: number; orphans: unknown[] } };
  refused: { title?: string; detail?: string; cure?: string } | null;
}

export interface RosterChanges {
  base_roster: number;
  operations: Operation[];
  valid_from: string | null;
  reason: string | null;
}

export class Teams {
  constructor(private readonly api: Api) {}

  branch({ subject }: Board, name: string): Promise<PlanDetail> {
    return this.api.post(`/v1/plans/${subject.plan.id}/branch`, { name });
  }

  /** Assign a draft's grids, and wait for it where it takes longer. */
  async assign({ subject }: Board, body: { pins: Pin[]; today?: 'publication' | 'none' }): Promise<void> {
    const path = `/v1/plans/${subject.plan.id}/teams`;
    const { value, status } = await this.api.send<Job>('POST', path, {
      body,
      revision: subject.plan.revision,
    });
    if (status === 202) await new Solving(this.api).follow(value.id, () => undefined);
  }

  /** Give single grids of a draft to teams; null takes a grid's team away. */
  give({ subject }: Board, grids: Record<string, string | null>): Promise<unknown> {
    return this.api.send('PATCH', `/v1/plans/${subject.plan.id}/teams`, {
      body: { grids },
      revision: subject.plan.revision,
    });
  }

  changeRoster(territory: string, changes: RosterChanges): Promise<{ rosters: number[] }> {
    return this.api.post(`/v1/territories/${encodeURIComponent(territory)}/roster/changes`, changes);
  }

  loads(board: Board): Promise<Loads> {
    return this.api.get(loadsPath(board), loadsQuery(board));
  }

  violations(territory: string): Promise<{ total: number; items: Violation[] }> {
    return this.api.get(`/v1/territories/${encodeURIComponent(territory)}/roster/violations`);
  }

  scorecard(board: Board): Promise<Scorecard> {
    const { path, query } = scorecardOf(board);
    return this.api.get(path, query);
  }

  handOver(territory: string, body: Record<string, unknown>): Promise<Handover> {
    return this.api.post(`/v1/territories/${encodeURIComponent(territory)}/handovers`, body);
  }

  async handovers(territory: string): Promise<Handover[]> {
    const path = `/v1/territories/${encodeURIComponent(territory)}/handovers`;
    const found = await this.api.get<{ items: Handover[] }>(path, { limit: 1000 });
    return found.items.reverse();
  }
}

export function loadsPath({ territory }: Board): string {
  return `/v1/territories/${encodeURIComponent(territory.id)}/loads`;
}

export function loadsQuery({ subject }: Board): Record<string, string> {
  return subject.publication ? {} : { plan: subject.plan.id };
}

export function scorecardOf({ subject, territory }: Board): {
  path: string;
  query: Record<string, string>;
} {
  const { publication, plan } = subject;
  return publication
    ? {
        path: `/v1/publications/${publication.n}/scorecard`,
        query: { territory: territory.id, line: publication.line },
      }
    : { path: `/v1/plans/${plan.id}/scorecard`, query: {} };
}
