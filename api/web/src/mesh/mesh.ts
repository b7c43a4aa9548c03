/** The cells of a tiling as triangles and edges, in the map's own plane: made once, drawn many times. */
import earcut from 'earcut';
import { cellToBoundary } from 'h3-js';
import type { Position } from 'geojson';
import { joinEdges, type Edges } from './edges.ts';

/** What the service tells of a tiling: one entry a row. */
export interface CellColumns {
  tiling: string;
  kind: string;
  resolution: number | null;
  cells: string[];
  area_km2: number[];
  measures: Record<string, number[]>;
  /** Coordinates of the cells which are no whole H3 cells, by row, each as a MultiPolygon's. */
  outlines: Record<string, Position[][][]>;
  /** Columns whose areas grids can be nested in, with how many areas each has. */
  areas?: Record<string, number>;
}

/**
 * Coordinates are of the Mercator plane (the world is one wide) less `origin`: what is left is small, so that
 * 32 bits give millimetres.
 */
export interface Mesh {
  count: number;
  origin: [number, number];
  /** x and y of each corner. */
  corners: Float32Array;
  /** Row of the cell each corner belongs to. */
  rows: Uint32Array;
  triangles: Uint32Array;
  edges: Edges;
  /** Boxes of the cells: west, south, east, north in degrees. */
  boxes: Float64Array;
}

const DEGREE = Math.PI / 180;

/** Longitude and latitude in the Mercator plane, y downwards. */
export function mercator(lon: number, lat: number): [number, number] {
  const y = Math.log(Math.tan(Math.PI / 4 + (lat * DEGREE) / 2));
  return [(lon + 180) / 360, (1 - y / Math.PI) / 2];
}

/** The outlines of a cell: rings of each of its parts, longitude first. */
export function outlineOf(columns: CellColumns, row: number): Position[][][] {
  return columns.outlines[row] ?? [[cellToBoundary(columns.cells[row] ?? '', true) as Position[]]];
}

/** A growing list of numbers without the cost of boxed ones. */
class Numbers {
  private data = new Float64Array(1 << 16);
  length = 0;

  push(value: number): void {
    if (this.length === this.data.length) {
      const larger = new Float64Array(this.data.length * 2);
      larger.set(this.data);
      this.data = larger;
    }
    this.data[this.length++] = value;
  }

  view(): Float64Array {
    return this.data.subarray(0, this.length);
  }
}

export function makeMesh(columns: CellColumns): Mesh {
  const count = columns.cells.length;
  const [corners, rows, triangles, sides] = [new Numbers(), new Numbers(), new Numbers(), new Numbers()];
  const boxes = new Float64Array(count * 4);
  let origin: [number, number] | null = null;
  for (let row = 0; row < count; row++) {
    const box = [Infinity, Infinity, -Infinity, -Infinity] as [number, number, number, number];
    for (const rings of outlineOf(columns, row)) {
      const flat: number[] = [];
      const holes: number[] = [];
      for (const ring of rings) {
        if (flat.length) holes.push(flat.length / 2);
        // A closed ring says its first corner twice.
        const last = closed(ring) ? ring.length - 1 : ring.length;
        const begin = flat.length;
        for (let i = 0; i < last; i++) {
          const [lon = 0, lat = 0] = ring[i] ?? [];
          box[0] = Math.min(box[0], lon);
          box[1] = Math.min(box[1], lat);
          box[2] = Math.max(box[2], lon);
          box[3] = Math.max(box[3], lat);
          const [x, y] = mercator(lon, lat);
          origin ??= [x, y];
          flat.push(x - origin[0], y - origin[1]);
        }
        addSides(sides, flat, begin, row);
      }
      const first = corners.length / 2;
      for (let i = 0; i < flat.length; i += 2) {
        corners.push(flat[i] ?? 0);
        corners.push(flat[i + 1] ?? 0);
        rows.push(row);
      }
      for (const corner of trianglesOf(flat, holes)) triangles.push(first + corner);
    }
    boxes.set(box, row * 4);
  }
  return {
    count,
    origin: origin ?? [0.5, 0.5],
    corners: Float32Array.from(corners.view()),
    rows: Uint32Array.from(rows.view()),
    triangles: Uint32Array.from(triangles.view()),
    edges: joinEdges(sides.view()),
    boxes,
  };
}

function closed(ring: Position[]): boolean {
  const [first, last] = [ring[0], ring[ring.length - 1]];
  return ring.length > 1 && first?.[0] === last?.[0] && first?.[1] === last?.[1];
}

function addSides(sides: Numbers, flat: number[], begin: number, row: number): void {
  const size = flat.length - begin;
  for (let i = 0; i < size; i += 2) {
    const next = (i + 2) % size;
    sides.push(flat[begin + i] ?? 0);
    sides.push(flat[begin + i + 1] ?? 0);
    sides.push(flat[begin + next] ?? 0);
    sides.push(flat[begin + next + 1] ?? 0);
    sides.push(row);
  }
}

function trianglesOf(flat: number[], holes: number[]): number[] {
  const corners = flat.length / 2;
  if (holes.length || corners > 6) return earcut(flat, holes);
  // Small cells are nearly always convex hexagons: a fan of triangles does.
  if (!convex(flat)) return earcut(flat);
  const fan: number[] = [];
  for (let i = 1; i + 1 < corners; i++) fan.push(0, i, i + 1);
  return fan;
}

function convex(flat: number[]): boolean {
  let sign = 0;
  for (let i = 0; i < flat.length; i += 2) {
    const [ax = 0, ay = 0] = [flat[i], flat[i + 1]];
    const [bx = 0, by = 0] = [flat[(i + 2) % flat.length], flat[(i + 3) % flat.length]];
    const [cx = 0, cy = 0] = [flat[(i + 4) % flat.length], flat[(i + 5) % flat.length]];
    const turn = Math.sign((bx - ax) * (cy - by) - (by - ay) * (cx - bx));
    if (turn !== 0 && sign !== 0 && turn !== sign) return false;
    if (turn !== 0) sign = turn;
  }
  return true;
}
