/** What the service is asked in this room. */
import type { Api, GridProperties } from '../../api.ts';

export type State = 'open' | 'accepted' | 'rejected' | 'withdrawn';

export interface RequestLine {
  id: string;
  kind: 'move' | 'customer' | 'lead';
  state: State;
  plan: string | null;
  cell_count: number;
  to: string | null;
  customer: string | null;
  team: string | null;
  person: string | null;
  reason: string;
  asked_by: string;
  recorded_at: string;
  due_at: string;
  overdue: boolean;
  decided_by: string | null;
  decision: string | null;
}

type Side = {
  grids?: (Partial<GridProperties> & { code: string; totals: Record<string, number> })[];
} & Record<string, unknown>;

export interface RequestDetail extends RequestLine {
  cells: string[];
  comments: { number: number; actor: string; text: string; recorded_at: string }[];
  effect: { before?: Side; after?: Side; problem?: { detail?: string } | string } | null;
}

export interface NewRequest {
  territory: string;
  kind: RequestLine['kind'];
  reason: string;
  line?: string;
  plan?: string;
  cells?: string[];
  to?: string;
  customer?: string;
  team?: string;
  person?: string;
}

export class Requests {
  constructor(private readonly api: Api) {}

  async list(territory: string, state: State | null): Promise<RequestLine[]> {
    const query = { territory, state, limit: 200 };
    return (await this.api.get<{ items: RequestLine[] }>('/v1/requests', query)).items;
  }

  get(id: string, plan: string | null): Promise<RequestDetail> {
    return this.api.get(`/v1/requests/${id}`, { plan });
  }

  make(request: NewRequest): Promise<RequestLine> {
    return this.api.post('/v1/requests', request);
  }

  comment(id: string, text: string): Promise<unknown> {
    return this.api.post(`/v1/requests/${id}/comments`, { text });
  }

  accept(id: string, reason: string, plan: string | null, revision: number | null): Promise<unknown> {
    const body = { reason, ...(plan === null ? {} : { plan, base_revision: revision }) };
    return this.api.post(`/v1/requests/${id}/accept`, body);
  }

  reject(id: string, reason: string): Promise<unknown> {
    return this.api.post(`/v1/requests/${id}/reject`, { reason });
  }

  withdraw(id: string): Promise<unknown> {
    return this.api.post(`/v1/requests/${id}/withdraw`, {});
  }
}

/** Why a request cannot be accepted as things are; null where it can. */
export function problemOf({ effect }: RequestDetail): string | null {
  const problem = effect?.problem;
  if (problem === undefined) return null;
  return typeof problem === 'string' ? problem : (problem.detail ?? '');
}
