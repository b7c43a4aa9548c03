/** What the service is asked in this room. */
import { ApiError, type Api, type Publication } from '../../api.ts';
import type { Board } from '../../board.ts';

export interface Offender {
  at?: [number, number];
  bbox?: [number, number, number, number];
  grid?: string;
  request?: string;
  [more: string]: unknown;
}

export interface Gate {
  name: string;
  passed: boolean;
  blocking: boolean;
  message: string;
  cure: string | null;
  offenders: Offender[];
  total: number;
  waived: { grid: string; reason: string; actor: string }[];
}

export interface ReviewStep {
  revision: number;
  action: string;
  before: string;
  after: string;
  actor: string;
  reason: string | null;
  recorded_at: string;
}

export type Step = 'submit' | 'approve' | 'reject' | 'recall';

/** The steps a plan may be taken by, as it stands. */
export function stepsOf(status: string): Step[] {
  if (status === 'draft') return ['submit'];
  if (status === 'submitted') return ['approve', 'reject', 'recall'];
  if (status === 'approved') return ['reject', 'recall'];
  return [];
}

/** What an offender is called, and by which it may be excused. */
export function nameOf({ grid, request, ...more }: Offender): string {
  const other = Object.entries(more).find(([key, value]) => key !== 'at' && typeof value === 'string');
  return String(grid ?? request ?? other?.[1] ?? '');
}

export interface When {
  /** A day such as 2026-12-01; null for at once. */
  effective: string | null;
  transition: string | null;
  reason: string;
}

export class Publishing {
  constructor(private readonly api: Api) {}

  gates({ subject }: Board): Promise<Gate[]> {
    return this.api.get(`/v1/plans/${subject.plan.id}/gates`);
  }

  async reviews({ subject }: Board): Promise<ReviewStep[]> {
    const path = `/v1/plans/${subject.plan.id}/reviews`;
    return (await this.api.get<{ items: ReviewStep[] }>(path)).items;
  }

  async step({ subject }: Board, step: Step, reason: string): Promise<void> {
    const revision = await this.revision(subject.plan.id);
    await this.api.post(`/v1/plans/${subject.plan.id}/${step}`, { reason: reason || null }, { revision });
  }

  async waive({ subject }: Board, gate: string, grid: string, reason: string): Promise<void> {
    const revision = await this.revision(subject.plan.id);
    await this.api.post(`/v1/plans/${subject.plan.id}/waivers`, { gate, grid, reason }, { revision });
  }

  async unwaive({ subject }: Board, gate: string, grid: string): Promise<void> {
    const revision = await this.revision(subject.plan.id);
    const query = { gate, grid };
    await this.api.send('DELETE', `/v1/plans/${subject.plan.id}/waivers`, { query, revision });
  }

  async publish({ subject }: Board, when: When): Promise<Publication> {
    const revision = await this.revision(subject.plan.id);
    const body = {
      effective_at: when.effective,
      transition_until: when.transition,
      reason: when.reason || null,
    };
    return this.api.post(`/v1/plans/${subject.plan.id}/publish`, body, { revision });
  }

  async rebase({ subject }: Board, prefer: 'mine' | 'theirs'): Promise<void> {
    const revision = await this.revision(subject.plan.id);
    await this.api.post(`/v1/plans/${subject.plan.id}/rebase`, { prefer }, { revision });
  }

  again({ territory, line, n }: Publication, reason: string): Promise<Publication> {
    return this.api.post(
      `/v1/publications/${n}/publish`,
      { reason: reason || null },
      { query: { territory, line } },
    );
  }

  changes(
    { territory, line }: Publication,
    from: number,
    to: number,
    kind: 'cell' | 'customer',
  ): Promise<{ total: number; items: Record<string, unknown>[] }> {
    return this.api.get('/v1/changes', { territory, line, from, to, kind, limit: 50 });
  }

  /** The plan's revision as it is now: steps of review and waivers count as changes too. */
  private async revision(plan: string): Promise<number> {
    return (await this.api.plan(plan)).revision;
  }
}

/** Whether somebody published changes to the same cells meanwhile. */
export function isStaleBase(error: unknown): boolean {
  return error instanceof ApiError && String(error.more['type']).endsWith(':stale-base');
}
