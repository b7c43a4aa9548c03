import { describe, expect, it } from 'vitest';
import type { GridProperties } from '../src/api.ts';
import { makeGround, touching, type Board } from '../src/board.ts';
import { dissolved, effectOf, half, piecesOf, rowsOf } from '../src/rooms/redraw/effect.ts';
import { squares } from './squares.ts';

/** A board of squares; digits name the grids, and each cell has as many customers as its row says. */
function board(...rows: string[]): Board {
  const text = rows.join('');
  const columns = squares(rows[0]?.length ?? 0, rows.length);
  columns.measures['customers'] = [...text].map((_, i) => i + 1);
  const ground = makeGround(columns);
  const labels = Int32Array.from(text, (digit) => (digit === '.' ? -1 : Number(digit)));
  const count = Math.max(...labels) + 1;
  const grids = Array.from({ length: count }, (_, place): GridProperties => {
    const own = rowsOf(labels, place);
    const customers = own.reduce((sum, row) => sum + row + 1, 0);
    return {
      code: `G${place}`,
      name: null,
      team: null,
      carve_out: false,
      parent: null,
      cells: own.length,
      area_km2: own.length,
      pieces: 1,
      measures: { customers },
      targets: { customers: 100 },
      deviation: { customers: customers / 100 - 1 },
      inside: true,
      team_name: null,
      lead_name: null,
    };
  });
  return {
    ground,
    labels,
    grids,
    index: new Map(grids.map(({ code }, i) => [code, i])),
    locked: new Set([0]),
    around: touching(ground, labels, count),
    measures: ['customers'],
    tolerances: { customers: 0.1 },
  } as unknown as Board;
}

const FOUR = board('0011', '0011', '2233', '2233');

describe('the effect of a move', () => {
  it('adds to one grid what it takes from another', () => {
    const effect = effectOf(FOUR, new Map([[1, 1]]));
    expect(effect.cells).toBe(1);
    expect(effect.customers).toBe(2);
    const [zero, one] = effect.grids;
    expect([zero?.after.measures['customers'], one?.after.measures['customers']]).toEqual([12, 24]);
    expect([zero?.after.cells, one?.after.cells]).toEqual([3, 5]);
    expect(effect.board.labels[1]).toBe(1);
    expect(FOUR.labels[1]).toBe(0);
  });

  it('counts customers who get another team, and not those whose new grid has the same', () => {
    const teams = ['north', 'north', null, 'south'];
    const grids = FOUR.grids.map((grid, place) => ({ ...grid, team: teams[place] ?? null }));
    const moved = (row: number, to: number): number | null =>
      effectOf({ ...FOUR, grids }, new Map([[row, to]])).customers;
    expect([moved(1, 1), moved(1, 2), moved(1, 3), moved(8, 3)]).toEqual([0, 2, 2, 9]);
  });

  it('is nothing where cells stay', () => {
    expect(effectOf(FOUR, new Map([[1, 0]]))).toMatchObject({ cells: 0, grids: [], broken: [] });
  });

  it('tells what would be in pieces, empty or locked', () => {
    expect(effectOf(FOUR, new Map([[15, 0]])).broken).toEqual(['G0']);
    const all = new Map(rowsOf(FOUR.labels, 3).map((row) => [row, 2]));
    expect(effectOf(FOUR, all)).toMatchObject({ emptied: ['G3'], broken: [] });
    expect(effectOf(FOUR, new Map([[0, 1]])).locked).toEqual([0]);
  });

  it('keeps the totals of any moves together', () => {
    const sum = (grids: GridProperties[]): number =>
      grids.reduce((all, grid) => all + (grid.measures['customers'] ?? 0), 0);
    for (let seed = 1; seed < 40; seed++) {
      const pending = new Map(
        Array.from({ length: seed % 9 }, (_, i) => [(i * seed * 7) % 16, (seed + i) % 4] as const),
      );
      expect(sum(effectOf(FOUR, pending).board.grids)).toBe(sum(FOUR.grids));
    }
  });
});

describe('whole grids', () => {
  it('are cut into two halves in one piece each', () => {
    const part = half(board('00000', '00000'), 0);
    expect(part.length).toBeGreaterThan(0);
    expect(part.length).toBeLessThan(10);
    const labels = Int32Array.from({ length: 10 }, (_, row) => (part.includes(row) ? 1 : 0));
    const pieces = piecesOf(board('00000', '00000'), labels, new Set([0, 1]));
    expect([...pieces.values()]).toEqual([1, 1]);
  });

  it('are dissolved into the neighbours which are nearest', () => {
    const made = board('0111122', '0111122');
    const given = dissolved(made, 1);
    expect(given.size).toBe(8);
    expect([given.get(1), given.get(2), given.get(3), given.get(4)]).toEqual([0, 0, 2, 2]);
    expect(effectOf(made, given)).toMatchObject({ emptied: ['G1'], broken: [] });
  });
});
