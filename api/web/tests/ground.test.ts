import { describe, expect, it } from 'vitest';
import type { FeatureCollection } from 'geojson';
import { wgs84ToGcj02 } from '../src/crs.ts';
import { withNames } from '../src/ground/own.ts';
import { partsOf, shiftedCorner } from '../src/ground/shifted.ts';

/** Columns and rows of a point among the tiles of a zoom, as the square map of the web has them. */
function tileOf([lon, lat]: [number, number], z: number): [number, number] {
  const angle = (lat * Math.PI) / 180;
  const row = (1 - Math.log(Math.tan(angle) + 1 / Math.cos(angle)) / Math.PI) / 2;
  return [((lon + 180) / 360) * 2 ** z, row * 2 ** z];
}

describe('tiles drawn in GCJ-02', () => {
  it('show what belongs at a place to within a pixel, at every zoom', () => {
    for (const z of [8, 12, 15, 18]) {
      for (const place of [
        [116.39, 39.91],
        [104.07, 30.66],
        [121.5, 31.2],
      ] as [number, number][]) {
        const [column, row] = tileOf(place, z);
        const [x, y] = [Math.floor(column), Math.floor(row)];
        const [left, top] = shiftedCorner(z, x, y);
        const found = [left + column - x, top + row - y];
        const meant = tileOf(wgs84ToGcj02(place), z);
        expect(Math.abs(found[0]! - meant[0]) * 256).toBeLessThan(1);
        expect(Math.abs(found[1]! - meant[1]) * 256).toBeLessThan(1);
      }
    }
  });

  it('cover each tile without a gap', () => {
    for (const [z, x, y] of [
      [16, 53960, 24832],
      [10, 843, 388],
      [12, 2048, 1024],
    ] as const) {
      let covered = 0;
      for (const { at } of partsOf(z, x, y)) {
        const span = (from: number): number => Math.max(0, Math.min(256, from + 256) - Math.max(0, from));
        covered += span(at[0]) * span(at[1]);
      }
      expect(covered).toBe(256 * 256);
    }
  });

  it('stay as they are outside China', () => {
    expect(partsOf(12, 2046, 1362)).toEqual([{ x: 2046, y: 1362, at: [0, 0] }]);
  });
});

describe('layers of the company', () => {
  it('carry their names as points of their own', () => {
    const square = [
      [0, 0],
      [2, 0],
      [2, 2],
      [0, 2],
      [0, 0],
    ];
    const layer: FeatureCollection = {
      type: 'FeatureCollection',
      features: [
        {
          type: 'Feature',
          properties: { name: '梅岭' },
          geometry: { type: 'Polygon', coordinates: [square] },
        },
        { type: 'Feature', properties: { 名称: '网点' }, geometry: { type: 'Point', coordinates: [1, 1] } },
        { type: 'Feature', properties: { code: 7 }, geometry: { type: 'Point', coordinates: [1, 1] } },
      ],
    };
    const added = withNames(layer).features.slice(3);
    expect(added.map(({ properties }) => properties?.['image'])).toEqual(['named 梅岭', 'named below 网点']);
    expect(added[0]?.geometry).toEqual({ type: 'Point', coordinates: [1, 1] });
  });
});
