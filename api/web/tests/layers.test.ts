import { describe, expect, it } from 'vitest';
import { gridProperties } from '../src/layers.ts';

describe('an exported grid', () => {
  const grid = gridProperties({
    code: '01',
    customers: 120,
    customers_target: 100,
    customers_deviation: 0.2,
    kwh: 5,
    kwh_target: null,
    kwh_deviation: null,
    cells: 7,
  });

  it('has its numbers by measure', () => {
    expect(grid.measures).toEqual({ customers: 120, kwh: 5 });
    expect(grid.targets).toEqual({ customers: 100, kwh: null });
    expect(grid.deviation).toEqual({ customers: 0.2, kwh: null });
  });

  it('keeps the rest as it was', () => {
    expect(grid.code).toBe('01');
    expect(grid.cells).toBe(7);
  });
});
