import { describe, expect, it } from 'vitest';
import type { GridProperties, Publication } from '../src/api.ts';
import { arrange, nextSort, type Sort } from '../src/sorting.ts';
import { currentPublication } from '../src/board.ts';

function grid(code: string, customers: number, deviation: number | null, lead = ''): GridProperties {
  return {
    code,
    name: `Grid ${code}`,
    team: 't',
    team_name: 'North',
    lead_name: lead,
    carve_out: deviation === null,
    cells: 1,
    parent: null,
    pieces: 1,
    inside: null,
    area_km2: 1,
    measures: { customers },
    deviation: { customers: deviation },
    targets: { customers: 10 },
  };
}

const GRIDS = [grid('G10', 5, null), grid('G2', 9, -0.1, 'Ada'), grid('G1', 7, 0.2, 'Bo')];
const codes = (sort: Sort, filter = ''): string[] =>
  arrange(GRIDS, filter, sort, 'en').map(({ code }) => code);

describe('rows', () => {
  it('sort numbers inside codes as numbers', () => {
    expect(codes({ column: { by: 'code' }, descending: false })).toEqual(['G1', 'G2', 'G10']);
  });

  it('sort by a measure, and put rows without a value last both ways', () => {
    expect(codes({ column: { by: 'measure', measure: 'customers' }, descending: true })).toEqual([
      'G2',
      'G1',
      'G10',
    ]);
    expect(codes({ column: { by: 'deviation', measure: 'customers' }, descending: true })).toEqual([
      'G1',
      'G2',
      'G10',
    ]);
    expect(codes({ column: { by: 'deviation', measure: 'customers' }, descending: false })).toEqual([
      'G2',
      'G1',
      'G10',
    ]);
  });

  it('match every word of a filter in any order', () => {
    const sort: Sort = { column: { by: 'code' }, descending: false };
    expect(codes(sort, 'north ada')).toEqual(['G2']);
    expect(codes(sort, 'ADA  g2')).toEqual(['G2']);
    expect(codes(sort, 'nobody')).toEqual([]);
  });

  it('turn round on a second click; numbers start with the largest', () => {
    const first = nextSort(
      { column: { by: 'code' }, descending: false },
      { by: 'measure', measure: 'customers' },
    );
    expect(first.descending).toBe(true);
    expect(nextSort(first, { by: 'measure', measure: 'customers' }).descending).toBe(false);
    expect(nextSort(first, { by: 'measure', measure: 'kwh' }).descending).toBe(true);
    expect(nextSort(first, { by: 'name' }).descending).toBe(false);
  });
});

describe('the publication shown', () => {
  const published = (n: number, effective_at: string, line = 'base'): Publication => ({
    territory: 't',
    line,
    n,
    plan: 'p',
    tiling: 't',
    state: 'in-force',
    valid_to: null,
    effective_at,
    recorded_at: effective_at,
    grids: 1,
    cells: 1,
    published_by: 'p',
    summary: { customers: { read: 1, placed: 1, left_out: 0, placement_rate: 1 }, measures: [], teams: 1 },
  });
  const now = new Date('2025-06-01T00:00:00Z');

  it('is the newest in force', () => {
    const items = [
      published(3, '2026-01-01T00:00:00Z'),
      published(2, '2025-05-01T00:00:00Z'),
      published(1, '2025-01-01T00:00:00Z'),
    ];
    expect(currentPublication(items, now)?.n).toBe(2);
  });

  it('is the one to come when none is in force, and never of another line', () => {
    expect(currentPublication([published(1, '2026-01-01T00:00:00Z')], now)?.n).toBe(1);
    expect(currentPublication([published(1, '2025-01-01T00:00:00Z', 'vip')], now)).toBeUndefined();
  });
});
