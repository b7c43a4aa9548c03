/** From a place on the map to the row of its cell, and from a drawn shape to the rows in it. */
import { latLngToCell } from 'h3-js';
import type { Position } from 'geojson';
import { outlineOf, type CellColumns, type Mesh } from './mesh.ts';

const COLUMNS = 256;

/** Finds cells; the service has the last word on who owns a point, this is for drawing. */
export class Finder {
  private readonly byName = new Map<string, number>();
  private readonly buckets: number[][] = [];
  /** West, south, east and north of all cells. */
  readonly box: [number, number, number, number];
  /** Rows which are not found by their H3 index. */
  private readonly drawn: boolean;

  constructor(
    private readonly columns: CellColumns,
    private readonly mesh: Mesh,
  ) {
    columns.cells.forEach((name, row) => this.byName.set(name, row));
    this.box = wholeBox(mesh.boxes);
    this.drawn = Object.keys(columns.outlines).length > 0;
    for (let row = 0; row < mesh.count; row++) {
      this.eachBucket(this.boxOf(row), (bucket) => (this.buckets[bucket] ??= []).push(row));
    }
  }

  rowOf(name: string): number {
    return this.byName.get(name) ?? -1;
  }

  /** Row of the cell at a place, -1 where there is none. */
  at(lon: number, lat: number): number {
    if (this.drawn) {
      const hit = this.among(lon, lat);
      if (hit >= 0) return hit;
    }
    const { resolution } = this.columns;
    return resolution === null ? -1 : this.rowOf(latLngToCell(lat, lon, resolution));
  }

  /** Rows whose boxes meet a box. */
  near(box: readonly [number, number, number, number]): number[] {
    const found = new Set<number>();
    this.eachBucket(box, (bucket) => {
      for (const row of this.buckets[bucket] ?? []) if (meets(this.boxOf(row), box)) found.add(row);
    });
    return [...found];
  }

  /** Rows whose middles lie in a polygon: a cell belongs to a shape when most of it does. */
  inside(ring: Position[]): number[] {
    const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const [x = 0, y = 0] of ring) {
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }
    return this.near(box).filter((row) => contains([ring], ...this.middle(row)));
  }

  /** The middle of a cell's box, which lies in it or near it. */
  middle(row: number): [number, number] {
    const [west, south, east, north] = this.boxOf(row);
    return [(west + east) / 2, (south + north) / 2];
  }

  boxOf(row: number): [number, number, number, number] {
    const [west = 0, south = 0, east = 0, north = 0] = this.mesh.boxes.subarray(row * 4, row * 4 + 4);
    return [west, south, east, north];
  }

  private among(lon: number, lat: number): number {
    const place: [number, number, number, number] = [lon, lat, lon, lat];
    let found = -1;
    this.eachBucket(place, (bucket) => {
      for (const row of this.buckets[bucket] ?? []) {
        if (found >= 0 || !(row in this.columns.outlines) || !meets(this.boxOf(row), place)) continue;
        if (outlineOf(this.columns, row).some((rings) => contains(rings, lon, lat))) found = row;
      }
    });
    return found;
  }

  private eachBucket(box: readonly [number, number, number, number], visit: (bucket: number) => void): void {
    const [west, south, east, north] = this.box;
    const column = (x: number): number => slot((x - west) / (east - west || 1));
    const line = (y: number): number => slot((y - south) / (north - south || 1));
    if (box[2] < west || box[0] > east || box[3] < south || box[1] > north) return;
    for (let j = line(box[1]); j <= line(box[3]); j++) {
      for (let i = column(box[0]); i <= column(box[2]); i++) visit(j * COLUMNS + i);
    }
  }
}

function slot(share: number): number {
  return Math.min(COLUMNS - 1, Math.max(0, Math.floor(share * COLUMNS)));
}

function meets(a: readonly number[], b: readonly number[]): boolean {
  return a[0]! <= b[2]! && a[2]! >= b[0]! && a[1]! <= b[3]! && a[3]! >= b[1]!;
}

function wholeBox(boxes: Float64Array): [number, number, number, number] {
  const whole: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < boxes.length; i += 4) {
    whole[0] = Math.min(whole[0], boxes[i]!);
    whole[1] = Math.min(whole[1], boxes[i + 1]!);
    whole[2] = Math.max(whole[2], boxes[i + 2]!);
    whole[3] = Math.max(whole[3], boxes[i + 3]!);
  }
  return whole;
}

/** Whether a place lies in rings: between an odd and an even crossing of its parallel. */
export function contains(rings: Position[][], x: number, y: number): boolean {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [ax = 0, ay = 0] = ring[i] ?? [];
      const [bx = 0, by = 0] = ring[j] ?? [];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
  }
  return inside;
}
