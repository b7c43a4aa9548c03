/** The few calls the page makes, with the shapes the service answers in. */
import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson';
import { gridLayer } from './layers.ts';

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
  effective_at: string;
  recorded_at: string;
  grids: number;
  cells: number;
  published_by: string;
  summary: {
    customers: { read: number; placed: number; left_out: number; placement_rate: number } | null;
    measures: MeasureSummary[];
    teams: number;
  };
}

export interface GridProperties {
  code: string;
  name: string | null;
  team: string | null;
  team_name: string | null;
  lead_name: string | null;
  carve_out: boolean;
  cells: number;
  area_km2: number;
  measures: Record<string, number>;
  deviation: Record<string, number | null>;
  targets: Record<string, number | null>;
}

/** A cell's id and grid; every other property is one measure. */
export type CellProperties = { cell: string; grid: string } & Record<string, unknown>;

export type Area = Polygon | MultiPolygon;
export type GridLayer = FeatureCollection<Area, GridProperties>;
export type CellLayer = FeatureCollection<Area, CellProperties>;

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
  return new ApiError(response.status, title, text(fields['detail']), text(fields['cure']));
}

export class Api {
  /** @param locale gives the language of the sentences the service writes. */
  constructor(private readonly locale: () => string) {}

  territories(): Promise<{ items: Territory[] }> {
    return this.get('/v1/territories');
  }

  territory(id: string): Promise<TerritoryDetail> {
    return this.get(`/v1/territories/${encodeURIComponent(id)}`);
  }

  publications(territory: string): Promise<{ items: Publication[] }> {
    return this.get('/v1/publications', { territory });
  }

  async grids(territory: string, n: number): Promise<GridLayer> {
    const query = { territory, format: 'geojson', layer: 'grids' };
    return gridLayer(await this.get(`/v1/publications/${n}/export`, query));
  }

  cells(territory: string, n: number): Promise<CellLayer> {
    return this.get(`/v1/publications/${n}/export`, { territory, format: 'geojson', layer: 'cells' });
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

  private async get<T>(path: string, query: Record<string, string> = {}): Promise<T> {
    const search = new URLSearchParams(query).toString();
    const headers = { Accept: 'application/json', 'Accept-Language': this.locale() };
    let response: Response;
    try {
      response = await fetch(search ? `${path}?${search}` : path, { headers });
    } catch {
      throw new ApiError(0, '');
    }
    if (!response.ok) throw await problem(response);
    return (await response.json()) as T;
  }
}
