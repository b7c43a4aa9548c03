/** The few calls the page makes, with the shapes the service answers in. */
import type { MultiPolygon, Polygon } from 'geojson';
import type { Me } from './identity.ts';
import type { CellColumns } from './mesh/mesh.ts';
import { Stream, type Handlers } from './stream.ts';

export interface Territory {
  id: string;
  name: string;
  time_zone: string;
  customers_word: string;
  simulated: boolean;
}

export interface TerritoryDetail extends Territory {
  boundary: MultiPolygon | Polygon;
}

export interface MeasureSummary {
  name: string;
  total: number;
  worst_deviation: number | null;
  tolerance: number | null;
}

export interface Publication {
  territory: string;
  line: string;
  n: number;
  plan: string;
  tiling: string;
  state: string;
  valid_to: string | null;
  effective_at: string;
  recorded_at: string;
  grids: number;
  cells: number;
  published_by: string;
  summary: {
    customers: { read: number; placed: number; left_out: number; placement_rate: number } | null;
    measures: MeasureSummary[];
    teams: number;
    moved?: { cells: number; customers: number | null };
  };
}

/** A plan as `GET /v1/plans/{plan}` tells of it. */
export interface PlanDetail {
  id: string;
  territory: string;
  line: string;
  level: string;
  parent: string | null;
  tiling: string;
  name: string | null;
  comment: string | null;
  status: string;
  revision: number;
  solved: boolean;
  grids: number;
  created_by: string;
  recorded_at: string;
  branched_from: string | null;
  base_publication: number | null;
  params: { measures: [string, number][] } & Record<string, unknown>;
}

/** A grid with its figures as they are now. */
export interface PlanGrid {
  code: string;
  name: string | null;
  team: string | null;
  carve_out: boolean;
  parent: string | null;
  cells: number;
  area_km2: number;
  pieces: number;
  measures: Record<string, number>;
  targets: Record<string, number | null>;
  deviation: Record<string, number | null>;
  inside: boolean | null;
}

export interface GridProperties extends PlanGrid {
  team_name: string | null;
  lead_name: string | null;
}

/** Which grid each cell is in, by row of the tiling. */
export interface LabelledPlan {
  plan: string;
  tiling: string;
  revision: number;
  grids: Pick<PlanGrid, 'code' | 'name' | 'team' | 'carve_out' | 'parent'>[];
  labels: number[];
  /** Rows of cells which may not change hands. */
  locked: number[];
}

export interface Roster {
  roster: number;
  /** The newest there is, in force or not: what a change is made on. */
  newest: number;
  departments: { id: string; name: string; parent: string | null; head: string | null }[];
  people: Person[];
  teams: { id: string; name: string; level: string; capacity: Record<string, number> }[];
  members: Member[];
  fallback: string | null;
}

export interface Person {
  id: string;
  /** `***` where the caller may not see names. */
  name: string;
  department: string;
  /** Share of the assessment which stays with the department; null is what the teams leave. */
  kpi_share: number | null;
  valid_until: string | null;
}

export interface Member {
  team: string;
  person: string;
  role: string;
  time_share: number;
  kpi_share: number;
  acting: boolean;
  backup: boolean;
  /** The membership counts from the one moment and before the other; null is without bound. */
  valid_from: string | null;
  valid_until: string | null;
}

export type Area = Polygon | MultiPolygon;

export interface OwnerAnswer {
  status: 'owned' | 'fallback' | 'outside' | 'unplaced' | 'unknown_customer' | 'invalid';
  cell: string | null;
  grid: { code: string; name: string | null; line: string } | null;
  team: { id: string; name: string } | null;
  lead: { id: string; name: string; acting: boolean } | null;
  rule: 'name_list' | 'carve_out' | 'cell' | 'fallback' | null;
  why: string;
  publication: number;
  roster: number | null;
  valid_from: string | null;
  valid_to: string | null;
}

export type Crs = 'wgs84' | 'gcj02' | 'bd09';

export type OwnerQuestion =
  | { kind: 'point'; lat: number; lon: number; crs: Crs }
  | { kind: 'cell'; id: string }
  | { kind: 'customer'; id: string };

/** A problem the service explained (RFC 9457), or a failure to reach it (status 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string = '',
    readonly cure: string = '',
    /** All members of the problem, such as `row`, `field`, `gates` and `cells`. */
    readonly more: Readonly<Record<string, unknown>> = {},
  ) {
    super(title);
    this.name = 'ApiError';
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

async function problem(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const title = text(fields['title']) || response.statusText;
  return new ApiError(response.status, title, text(fields['detail']), text(fields['cure']), fields);
}

/** What a request may carry beside its path. */
export interface Wish {
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  /** Revision of the plan which whole-plan operations are made on. */
  revision?: number;
  /** ETag of what is at hand already; the answer is then null where nothing is new. */
  seen?: string | null;
  /** Answer with the job at once (202) where it is long work. */
  queued?: boolean;
  signal?: AbortSignal;
}

export interface Answer<T> {
  value: T;
  etag: string | null;
  status: number;
}

export class Api {
  /** Told after each request whether the service was reached. */
  onReach: (reached: boolean) => void = () => undefined;

  /** @param locale gives the language of the sentences the service writes. */
  constructor(private readonly locale: () => string) {}

  me(): Promise<Me> {
    return this.get('/v1/me');
  }

  /** How to sign in: `provider` is null where the company's people have keys only. */
  howToSignIn(): Promise<{ provider: string | null }> {
    return this.get('/v1/session');
  }

  signIn(key: string): Promise<Me> {
    return this.post('/v1/session', { key });
  }

  async signOut(): Promise<void> {
    await this.send('DELETE', '/v1/session');
  }

  /** Listen to events of some topics. */
  stream(query: Wish['query'], handlers: Handlers): Stream {
    return new Stream(addressOf('/v1/events', query), handlers, (reached) => this.onReach(reached));
  }

  territories(): Promise<{ items: Territory[] }> {
    return this.get('/v1/territories');
  }

  territory(id: string): Promise<TerritoryDetail> {
    return this.get(`/v1/territories/${encodeURIComponent(id)}`);
  }

  publications(territory: string): Promise<{ items: Publication[] }> {
    return this.get('/v1/publications', { territory });
  }

  plan(id: string): Promise<PlanDetail> {
    return this.get(`/v1/plans/${id}`);
  }

  planGrids(id: string): Promise<{ items: PlanGrid[] }> {
    return this.get(`/v1/plans/${id}/grids`);
  }

  labels(id: string): Promise<LabelledPlan> {
    return this.get(`/v1/plans/${id}/labels`);
  }

  cells(tiling: string, seen: string | null): Promise<Answer<CellColumns | null>> {
    return this.send('GET', `/v1/tilings/${tiling}/cells`, { seen });
  }

  /** The people in force; null where there are none, or the caller may not see them. */
  async roster(territory: string): Promise<Roster | null> {
    try {
      return await this.get(`/v1/territories/${encodeURIComponent(territory)}/roster`);
    } catch (error) {
      if (error instanceof ApiError && [401, 403, 404].includes(error.status)) return null;
      throw error;
    }
  }

  owner(territory: string, question: OwnerQuestion): Promise<OwnerAnswer> {
    switch (question.kind) {
      case 'point': {
        const { lat, lon, crs } = question;
        return this.get('/v1/owner', { territory, lat: String(lat), lon: String(lon), crs });
      }
      case 'cell':
        return this.get(`/v1/owner/cells/${encodeURIComponent(question.id)}`, { territory });
      case 'customer':
        return this.get(`/v1/owner/customers/${encodeURIComponent(question.id)}`, { territory });
    }
  }

  async get<T>(path: string, query: Wish['query'] = {}): Promise<T> {
    return (await this.send<T>('GET', path, { query })).value;
  }

  async post<T>(path: string, body: unknown = {}, wish: Wish = {}): Promise<T> {
    return (await this.send<T>('POST', path, { ...wish, body })).value;
  }

  /** Send a request and read its JSON answer; what the service refuses is an `ApiError`. */
  async send<T>(method: string, path: string, wish: Wish = {}): Promise<Answer<T>> {
    const headers: Record<string, string> = {
      Accept: 'application/json',
      'Accept-Language': this.locale(),
    };
    if (wish.revision !== undefined) headers['If-Match'] = `"${wish.revision}"`;
    if (wish.queued) headers['Prefer'] = 'respond-async';
    if (wish.seen) headers['If-None-Match'] = wish.seen;
    const init: RequestInit = { method, headers, signal: wish.signal ?? null };
    if (wish.body instanceof FormData) init.body = wish.body;
    else if (wish.body !== undefined) {
      headers['Content-Type'] = 'application/json';
      init.body = JSON.stringify(wish.body);
    }
    let response: Response;
    try {
      response = await fetch(addressOf(path, wish.query), init);
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      this.onReach(false);
      throw new ApiError(0, '');
    }
    this.onReach(true);
    const etag = response.headers.get('ETag');
    const { status } = response;
    if (status === 304) return { value: null as T, etag, status };
    if (!response.ok) throw await problem(response);
    const text = await response.text();
    return { value: (text ? JSON.parse(text) : null) as T, etag, status };
  }
}

/** A path with the parts of its query which are given. */
export function addressOf(path: string, query: Wish['query'] = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) search.set(name, String(value));
  }
  return search.size ? `${path}?${search}` : path;
}
