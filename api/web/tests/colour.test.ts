import { describe, expect, it } from 'vitest';
import type { Area } from '../src/api.ts';
import {
  classOf,
  colourAreas,
  DARK,
  deviationBreaks,
  groupNeighbours,
  LIGHT,
  quantileBreaks,
  keepColours,
} from '../src/colour.ts';
import { neighbours } from '../src/geo.ts';

function square(x: number, y: number, width = 1, height = 1): Area {
  const ring = [
    [x, y],
    [x + width, y],
    [x + width, y + height],
    [x, y + height],
    [x, y],
  ];
  return { type: 'Polygon', coordinates: [ring] };
}

/** A wall of bricks: every second row is shifted by half, so that borders meet without shared corners. */
function wall(rows: number, columns: number): Area[] {
  return Array.from({ length: rows * columns }, (_, i) => {
    const row = Math.floor(i / columns);
    return square((i % columns) + (row % 2) / 2, row);
  });
}

function clashes(around: readonly ReadonlySet<number>[], colours: readonly number[]): number {
  return around.flatMap((others, i) => [...others].filter((j) => colours[i] === colours[j])).length;
}

describe('neighbours', () => {
  it('finds borders which share no vertex', () => {
    const around = neighbours([square(0, 0, 4, 1), square(1, 1, 1, 1), square(3, 1, 0.5, 1)]);
    expect(around.map((set) => [...set].sort())).toEqual([[1, 2], [0], [0]]);
  });

  it('counts a sliver as touching, and a street as not', () => {
    const around = neighbours([square(0, 0), square(1.0005, 0), square(2.1, 0)]);
    expect(around.map((set) => [...set])).toEqual([[1], [0], []]);
  });

  it('gives every inner brick of a wall its six neighbours', () => {
    const around = neighbours(wall(5, 5));
    expect(around[12]?.size).toBe(6);
    around.forEach((set, i) => set.forEach((j) => expect(around[j]?.has(i)).toBe(true)));
  });
});

describe('colourAreas', () => {
  it('lets no two neighbours wear the same colour', () => {
    const around = neighbours(wall(12, 12));
    expect(clashes(around, colourAreas(around, 7))).toBe(0);
  });

  it('manages a four-way corner map with as few as four colours', () => {
    const around = neighbours(Array.from({ length: 36 }, (_, i) => square(i % 6, Math.floor(i / 6))));
    expect(clashes(around, colourAreas(around, 4))).toBe(0);
  });

  it('uses the colours about equally', () => {
    const colours = colourAreas(neighbours(wall(14, 10)), 7);
    const counts = Array.from({ length: 7 }, (_, c) => colours.filter((colour) => colour === c).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(8);
  });

  it('stays within the palette where more colours would be needed', () => {
    const all = [0, 1, 2, 3, 4];
    const around = all.map((i) => new Set(all.filter((j) => j !== i)));
    expect(colourAreas(around, 3).every((colour) => colour >= 0 && colour < 3)).toBe(true);
  });
});

describe('groupNeighbours', () => {
  it('joins the grids of a team and keeps a team from being its own neighbour', () => {
    const around = [new Set([1]), new Set([0, 2]), new Set([1])];
    expect(groupNeighbours(around, [0, 0, 1], 2)).toEqual([new Set([1]), new Set([0])]);
  });
});

describe('classes', () => {
  it('puts a deviation at its tolerance into the outermost class', () => {
    const breaks = deviationBreaks(0.1);
    expect([-0.11, -0.05, 0, 0.05, 0.1].map((value) => classOf(value, breaks))).toEqual([0, 2, 3, 4, 6]);
    expect(breaks.length + 1).toBe(LIGHT.diverging.length);
    expect(breaks.length + 1).toBe(DARK.diverging.length);
  });

  it('rises strictly and leaves zeros out', () => {
    const breaks = quantileBreaks([0, 0, 0, 1, 1, 1, 1, 2, 3, 50], 5);
    expect(breaks).toEqual([...new Set(breaks)].sort((a, b) => a - b));
    expect(breaks[0]).toBeGreaterThan(1);
  });

  it('has no breaks without values', () => {
    expect(quantileBreaks([], 5)).toEqual([]);
    expect(quantileBreaks([0, 0], 5)).toEqual([]);
  });
});

describe('colours kept', () => {
  const ring = [new Set([1, 4]), new Set([0, 2]), new Set([1, 3]), new Set([2, 4]), new Set([3, 0])];

  it('stay where they were while neighbours differ', () => {
    expect(keepColours(ring, [0, 1, 0, 1, 2], 7)).toEqual([0, 1, 0, 1, 2]);
  });

  it('change only where an area is new or meets its own colour', () => {
    const kept = keepColours(ring, [0, 1, 0, 0, -1], 7);
    expect(kept.slice(0, 3)).toEqual([0, 1, 0]);
    ring.forEach((around, i) => around.forEach((j) => expect(kept[j]).not.toBe(kept[i])));
  });
});
