import { describe, expect, it } from 'vitest';
import type { PlanDetail, TerritoryDetail } from '../src/api.ts';
import { makeGround } from '../src/board.ts';
import { previewBoard } from '../src/rooms/plans/preview.ts';
import { squares } from './squares.ts';

describe('a plan while it is being made', () => {
  it('has sums and deviations of its own, and no grid for carved-out cells', () => {
    const ground = makeGround({ ...squares(3, 2), measures: { customers: [5, 1, 2, 3, 4, 99] } });
    const plan = { params: { measures: [['customers', 0.1]] } } as unknown as PlanDetail;
    const board = previewBoard({} as TerritoryDetail, plan, ground, Int32Array.of(0, 0, 1, 1, 0, -1));
    expect(board.grids.map(({ code, cells, measures }) => [code, cells, measures['customers']])).toEqual([
      ['1', 3, 10],
      ['2', 2, 5],
    ]);
    expect(board.grids[0]?.deviation['customers']).toBeCloseTo(10 / 7.5 - 1);
    expect([...(board.around[0] ?? [])]).toEqual([1]);
    expect(board.tolerances).toEqual({ customers: 0.1 });
  });
});
