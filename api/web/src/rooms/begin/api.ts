/** What the beginning asks of the service. */
import type { FeatureCollection } from 'geojson';
import type { Api, Territory } from '../../api.ts';
import type { Job, Tiling } from '../plans/solving.ts';
import { Solving } from '../plans/solving.ts';
import type { District } from './files.ts';

export interface Layer {
  id: string;
  source: string;
  features: number;
  columns: { name: string; type: string; missing: number }[];
  extent_wgs84: [number, number, number, number] | null;
  hints: { message: string; message_zh?: string }[];
}

export interface Imported {
  id: string;
  placement_rate: number;
  read: number;
  placed: number;
  verdicts: Record<string, { rows: number; placed: boolean; reason: string; reason_zh: string }>;
}

export interface Spot {
  id: string;
  km2: number;
  customers: number | null;
  grids: string[];
  lon: number;
  lat: number;
  bbox: [number, number, number, number];
}

export interface Doubt {
  cell: string;
  grid: string;
  share: number;
  customers: number | null;
  lon?: number;
  lat?: number;
}

export interface Adoption {
  plan: string;
  adoption: {
    grids: unknown[];
    gap_km2: number;
    gap_customers: number | null;
    overlap_km2: number;
    overlap_customers: number | null;
    gaps: Spot[];
    overlaps: Spot[];
    apart: Spot[];
    majority: number;
    minority_cells: number;
    minority: Doubt[];
    without_cells: string[];
  };
}

export type Told = (job: Job) => void;

export class Beginning {
  private readonly solving: Solving;

  constructor(private readonly api: Api) {
    this.solving = new Solving(api);
  }

  layer(file: File, crs: string | null): Promise<Layer> {
    return this.api.post('/v1/layers', formOf({ file, crs }));
  }

  features(layer: string): Promise<FeatureCollection> {
    return this.api.get(`/v1/layers/${layer}/features`);
  }

  /** @param boundary a layer as a whole, or the districts chosen of it. */
  territory(
    fields: { id: string; name: string; time_zone: string },
    boundary: { layer: string } | readonly District[],
  ): Promise<Territory> {
    const given = 'layer' in boundary ? boundary : { type: 'FeatureCollection', features: boundary };
    return this.api.post('/v1/territories', { ...fields, boundary: given });
  }

  async tiling(territory: string, body: Record<string, unknown>, told: Told): Promise<Tiling> {
    const path = `/v1/territories/${territory}/tilings`;
    const made = await this.done<{ id?: string; tiling?: string }>(path, body, told);
    return this.api.get(`/v1/tilings/${made.tiling ?? made.id ?? ''}`);
  }

  customers(tiling: string, fields: Record<string, Field>, told: Told): Promise<Imported> {
    return this.done(`/v1/tilings/${tiling}/customers`, formOf(fields), told);
  }

  adopt(fields: Record<string, Field>, told: Told): Promise<Adoption> {
    return this.done('/v1/plans/adopt', formOf(fields), told);
  }

  /** Queue work and follow it until it has a result. */
  private async done<T>(path: string, body: unknown, told: Told): Promise<T> {
    const answer = await this.api.send<T | Job>('POST', path, { body, queued: true });
    if (answer.status !== 202) return answer.value as T;
    return (await this.solving.follow((answer.value as Job).id, told)).result as T;
  }
}

export type Field = string | number | boolean | File | readonly string[] | null;

/** A form with the fields which are given; lists come as repeated fields. */
export function formOf(fields: Record<string, Field>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || value === '') continue;
    if (value instanceof File) form.append(name, value, value.name);
    else for (const each of Array.isArray(value) ? value : [value]) form.append(name, String(each));
  }
  return form;
}
