import { cellToBoundary, gridDisk, latLngToCell } from 'h3-js';
import { describe, expect, it } from 'vitest';
import { deepest, makeGround, touching, type Ground } from '../src/board.ts';
import { contains } from '../src/mesh/finder.ts';
import { makeMesh, type CellColumns } from '../src/mesh/mesh.ts';
import { squares } from './squares.ts';

const middle = latLngToCell(28.6, 112.9, 9);

function hexes(cells: string[]): CellColumns {
  const sorted = [...cells].sort();
  const ones = sorted.map(() => 1);
  return {
    tiling: 't',
    kind: 'h3',
    resolution: 9,
    cells: sorted,
    area_km2: ones,
    measures: {},
    outlines: {},
  };
}

function around(ground: Ground, row: number): number[] {
  const { from, to } = ground.neighbours;
  return [...to.subarray(from[row], from[row + 1])].sort((a, b) => a - b);
}

describe('a mesh of hexagons', () => {
  const columns = hexes(gridDisk(middle, 12));
  const ground = makeGround(columns);

  it('has the neighbours which H3 knows', () => {
    for (const [row, cell] of columns.cells.entries()) {
      const known = gridDisk(cell, 1).filter((other) => other !== cell && columns.cells.includes(other));
      expect(around(ground, row)).toEqual(
        known.map((other) => ground.finder.rowOf(other)).sort((a, b) => a - b),
      );
    }
  });

  it('covers the area of its cells once', () => {
    const { corners, triangles, rows } = ground.mesh;
    const area = new Float64Array(columns.cells.length);
    for (let i = 0; i < triangles.length; i += 3) {
      const [a, b, c] = [0, 1, 2].map((k) => {
        const at = (triangles[i + k] ?? 0) * 2;
        return [corners[at] ?? 0, corners[at + 1] ?? 0] as const;
      }) as [readonly [number, number], readonly [number, number], readonly [number, number]];
      const size = Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])) / 2;
      area[rows[triangles[i] ?? 0] ?? 0]! += size;
    }
    const [least, most] = [Math.min(...area), Math.max(...area)];
    expect(most / least).toBeLessThan(1.05);
  });

  it('finds cells as H3 does', () => {
    for (const cell of columns.cells) {
      for (const [lat, lon] of cellToBoundary(cell)) {
        // A little towards the middle of the disk, lest a corner is anybody's.
        const [y, x] = [lat * 0.999 + 28.6 * 0.001, lon * 0.999 + 112.9 * 0.001];
        expect(ground.finder.at(x, y)).toBe(ground.finder.rowOf(latLngToCell(y, x, 9)));
      }
    }
    expect(ground.finder.at(0, 0)).toBe(-1);
  });
});

describe('a mesh of polygons', () => {
  const ground = makeGround(squares(4, 3));

  it('joins sides which lie on each other', () => {
    expect(around(ground, 0)).toEqual([1, 4]);
    expect(around(ground, 5)).toEqual([1, 4, 6, 9]);
    expect(ground.mesh.edges.count).toBe(4 * 4 + 3 * 5);
  });

  it('finds the cell at a place and the cells in a shape', () => {
    expect(ground.finder.at(2.5, 1.5)).toBe(6);
    expect(ground.finder.at(4.5, 1.5)).toBe(-1);
    const ring = [
      [0.2, 0.2],
      [2.2, 0.2],
      [2.2, 1.2],
      [0.2, 1.2],
    ];
    expect(ground.finder.inside(ring).sort()).toEqual([0, 1]);
  });

  it('knows which grids touch', () => {
    const labels = Int32Array.from([0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, -1]);
    expect(touching(ground, labels, 3).map((set) => [...set].sort())).toEqual([
      [1, 2],
      [0, 2],
      [0, 1],
    ]);
  });

  it('writes names deep inside', () => {
    const large = makeGround(squares(7, 7));
    const labels = Int32Array.from({ length: 49 }, (_, i) => (i % 7 < 6 ? 0 : 1));
    const [first = -1, second = -1] = deepest(large, labels, 3);
    expect([first % 7, Math.floor(first / 7)].every((at) => at >= 2 && at <= 4)).toBe(true);
    expect(labels[second]).toBe(1);
    expect(deepest(large, labels, 3)[2]).toBe(-1);
  });

  it('leaves holes open', () => {
    const columns = squares(1, 1);
    columns.outlines[0] = [
      [
        [
          [0, 0],
          [3, 0],
          [3, 3],
          [0, 3],
          [0, 0],
        ],
        [
          [1, 1],
          [1, 2],
          [2, 2],
          [2, 1],
          [1, 1],
        ],
      ],
    ];
    expect(makeMesh(columns).triangles.length).toBe(8 * 3);
    expect(contains(columns.outlines[0][0]!, 1.5, 1.5)).toBe(false);
    expect(makeGround(columns).finder.at(1.5, 1.5)).toBe(-1);
    expect(makeGround(columns).finder.at(0.5, 1.5)).toBe(0);
  });
});
