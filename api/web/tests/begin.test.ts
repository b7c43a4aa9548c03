import { describe, expect, it } from 'vitest';
import {
  csvColumns,
  districtAt,
  listOf,
  nameOf,
  namingColumn,
  slugOf,
  type District,
} from '../src/rooms/begin/files.ts';
import { formOf } from '../src/rooms/begin/api.ts';

const box = (x: number, properties: Record<string, string | number>): District => ({
  type: 'Feature',
  properties,
  geometry: {
    type: 'Polygon',
    coordinates: [
      [
        [x, 0],
        [x + 1, 0],
        [x + 1, 1],
        [x, 1],
        [x, 0],
      ],
      [
        [x + 0.4, 0.4],
        [x + 0.6, 0.4],
        [x + 0.6, 0.6],
        [x + 0.4, 0.6],
        [x + 0.4, 0.4],
      ],
    ],
  },
});
const DISTRICTS = [
  box(0, { county: 'K', code: 7, name: 'East' }),
  box(1, { county: 'K', code: 8, name: 'West' }),
];

describe('districts', () => {
  it('are named by what tells them apart, a name before a code', () => {
    expect(namingColumn(DISTRICTS)).toBe('name');
    expect(
      namingColumn(DISTRICTS.map((each) => ({ ...each, properties: { ...each.properties, name: 'same' } }))),
    ).toBe('code');
    expect(namingColumn([])).toBeNull();
    expect(DISTRICTS.map((each) => nameOf(each, 'code'))).toEqual(['7', '8']);
  });

  it('are found by a place in them, but not in their holes', () => {
    expect([0.2, 1.2, 0.5, 2.5].map((lon) => districtAt(DISTRICTS, lon, 0.5))).toEqual([0, 1, -1, -1]);
  });
});

describe('names', () => {
  it('make ids for addresses', () => {
    const now = new Date('2026-11-29T01:33:00Z');
    expect(slugOf('  São Paulo (South)', now)).toBe('sao-paulo-south');
    expect(slugOf('云岚县', now)).toBe('territory-202611290133');
    expect(slugOf('2026', now)).toBe('territory-202611290133');
    expect(slugOf('x'.repeat(90), now)).toHaveLength(60);
  });
});

describe('the first line of a list', () => {
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

  it('names the columns, whatever parts them', () => {
    const of = (text: string): string[] => csvColumns(new TextEncoder().encode(text));
    expect(of('\uFEFFid,"lon",lat\r\n1,2,3')).toEqual(['id', 'lon', 'lat']);
    expect(of('id\tlon\n')).toEqual(['id', 'lon']);
    expect(of('编号;经度;纬度\n')).toEqual(['编号', '经度', '纬度']);
  });

  it('is read as Excel writes it in China', () => {
    // 用户,kwh in GB 18030
    expect(
      csvColumns(bytes(0xd3, 0xc3, 0xbb, 0xa7, 0x2c, 0x6b, 0x77, 0x68, 0x0a, 0x31, 0x2c, 0x32, 0x0a)),
    ).toEqual(['用户', 'kwh']);
  });
});

describe('forms', () => {
  it('leave out what was not given and repeat lists', () => {
    const form = formOf({ crs: null, id: '', fill: false, min_placed: 0.9, measure: ['a=count', 'b=sum:b'] });
    expect([...form.entries()]).toEqual([
      ['fill', 'false'],
      ['min_placed', '0.9'],
      ['measure', 'a=count'],
      ['measure', 'b=sum:b'],
    ]);
  });

  it('take lists as people write them', () => {
    expect(listOf(' kwh，meters、 x;')).toEqual(['kwh', 'meters', 'x']);
  });
});
