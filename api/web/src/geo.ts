/** Geometry the page needs: boxes, label places, and which areas are neighbours. */
import type { Position } from 'geojson';
import type { Area } from './api.ts';

export type Box = [number, number, number, number];

export function ringsOf(area: Area): Position[][] {
  return area.type === 'Polygon' ? area.coordinates : area.coordinates.flat();
}

export function boxOf(areas: Iterable<Area>): Box {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const area of areas) {
    for (const ring of ringsOf(area)) {
      for (const [x = 0, y = 0] of ring) {
        box[0] = Math.min(box[0], x);
        box[1] = Math.min(box[1], y);
        box[2] = Math.max(box[2], x);
        box[3] = Math.max(box[3], y);
      }
    }
  }
  return box;
}

/** Where the horizontal line at `y` crosses the rings, sorted by x: inside lies between odd and even ones. */
function crossings(rings: Position[][], y: number): number[] {
  const xs: number[] = [];
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i++) {
      const [ax = 0, ay = 0] = ring[i - 1] ?? [];
      const [bx = 0, by = 0] = ring[i] ?? [];
      if (ay > y !== by > y) xs.push(ax + ((y - ay) / (by - ay)) * (bx - ax));
    }
  }
  return xs.sort((a, b) => a - b);
}

/**
 * A roomy place for a label: among level lines through the area, the middle of the longest stretch
 * inside it, with lines near the middle preferred. Always inside, also for crescents and several parts.
 */
export function labelPoint(area: Area): [number, number] {
  const rings = ringsOf(area);
  const [west, south, east, north] = boxOf([area]);
  const lines = 24;
  let best: [number, number] = [(west + east) / 2, (south + north) / 2];
  let bestScore = -1;
  for (let line = 1; line < lines; line++) {
    const share = line / lines;
    const y = south + (north - south) * share;
    const xs = crossings(rings, y);
    for (let i = 0; i + 1 < xs.length; i += 2) {
      const [from = 0, to = 0] = xs.slice(i, i + 2);
      const score = (to - from) * (1 - Math.abs(share - 0.5));
      if (score > bestScore) {
        bestScore = score;
        best = [(from + to) / 2, y];
      }
    }
  }
  return best;
}

/** Points along the rings, no further apart than `step`, so that borders meet even without shared vertices. */
function* along(area: Area, step: number): Generator<[number, number]> {
  for (const ring of ringsOf(area)) {
    for (let i = 1; i < ring.length; i++) {
      const [ax = 0, ay = 0] = ring[i - 1] ?? [];
      const [bx = 0, by = 0] = ring[i] ?? [];
      const parts = Math.max(1, Math.ceil(Math.hypot(bx - ax, by - ay) / step));
      for (let part = 0; part < parts; part++) {
        yield [ax + ((bx - ax) * part) / parts, ay + ((by - ay) * part) / parts];
      }
    }
  }
}

/**
 * Which areas touch or nearly touch: `neighbours(areas)[i]` is the set of indexes next to `i`.
 *
 * Borders are sampled into square buckets a 1,500th of the whole wide; areas whose samples share a bucket
 * or lie in adjoining ones are neighbours. It errs on the side of too many, which suits colouring: slivers,
 * corners and narrow rivers count as touching.
 */
export function neighbours(areas: readonly Area[]): Set<number>[] {
  const [west, south, east, north] = boxOf(areas);
  const step = Math.hypot(east - west, north - south) / 1500 || 1;
  const columns = 4096;
  const buckets = new Map<number, Set<number>>();
  const keyOf = (x: number, y: number): number =>
    (Math.floor((y - south) / step) + 1) * columns + Math.floor((x - west) / step) + 1;
  areas.forEach((area, index) => {
    for (const [x, y] of along(area, step)) {
      const key = keyOf(x, y);
      const bucket = buckets.get(key);
      if (bucket) bucket.add(index);
      else buckets.set(key, new Set([index]));
    }
  });
  const result = areas.map(() => new Set<number>());
  // Half of the eight adjoining buckets is enough: the other half is seen from the other side.
  const around = [0, 1, columns - 1, columns, columns + 1];
  for (const [key, here] of buckets) {
    for (const offset of around) {
      for (const b of buckets.get(key + offset) ?? []) {
        for (const a of here) {
          if (a === b) continue;
          result[a]?.add(b);
          result[b]?.add(a);
        }
      }
    }
  }
  return result;
}
