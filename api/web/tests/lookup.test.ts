import { describe, expect, it } from 'vitest';
import type { Area } from '../src/api.ts';
import { toWgs84, wgs84ToGcj02 } from '../src/crs.ts';
import { labelPoint } from '../src/geo.ts';
import { looksLikePoint, readQuestion } from '../src/question.ts';

describe('what was typed', () => {
  it('is a point in any common way of writing one', () => {
    for (const text of ['30.2, 105.6', '30.2 105.6', ' 30.2，105.6 ', '30.2;105.6', '+30.2,105.6']) {
      expect(readQuestion('point', text, 'gcj02')).toEqual({
        kind: 'point',
        lat: 30.2,
        lon: 105.6,
        crs: 'gcj02',
      });
    }
  });

  it('is sent back with help when it is not one', () => {
    expect(readQuestion('point', '30.2', 'wgs84')).toBe('owner.badPoint');
    expect(readQuestion('point', '30,2,105', 'wgs84')).toBe('owner.badPoint');
    expect(readQuestion('cell', '  ', 'wgs84')).toBe('owner.empty');
  });

  it('keeps ids as they are and does not take them for points', () => {
    expect(readQuestion('customer', ' A 1/2 ', 'wgs84')).toEqual({ kind: 'customer', id: 'A 1/2' });
    expect(looksLikePoint('8928308280fffff')).toBe(false);
    expect(looksLikePoint('510900-07')).toBe(false);
  });
});

describe('the mark on the map', () => {
  it('undoes the GCJ-02 shift to less than a millimetre', () => {
    for (const point of [
      [116.4, 39.9],
      [105.6, 30.2],
      [121.47, 31.23],
    ] as [number, number][]) {
      const shifted = wgs84ToGcj02(point);
      expect(Math.hypot(shifted[0] - point[0], shifted[1] - point[1])).toBeGreaterThan(0.002);
      const back = toWgs84(...shifted, 'gcj02');
      expect(Math.hypot(back[0] - point[0], back[1] - point[1])).toBeLessThan(1e-8);
    }
  });

  it('moves a BD-09 point further than a GCJ-02 one, and nothing outside China', () => {
    const [lon] = toWgs84(116.4, 39.9, 'bd09');
    expect(116.4 - lon).toBeGreaterThan(0.01);
    expect(toWgs84(-0.12, 51.5, 'gcj02')).toEqual([-0.12, 51.5]);
  });
});

describe('a label', () => {
  it('lies inside a crescent, whose middle does not', () => {
    const ring = [
      [0, 0],
      [10, 0],
      [10, 10],
      [0, 10],
      [0, 8],
      [8, 8],
      [8, 2],
      [0, 2],
      [0, 0],
    ];
    const area: Area = { type: 'Polygon', coordinates: [ring] };
    const [x, y] = labelPoint(area);
    expect(y < 2 || y > 8 || x > 8).toBe(true);
  });
});
