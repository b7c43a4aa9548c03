import { describe, expect, it } from 'vitest';
import { bytesOf, cellColours, type Colouring } from '../src/colouring.ts';
import { makeGround, type Board } from '../src/board.ts';
import { squares } from './squares.ts';

const GROUND = makeGround({ ...squares(3, 1), measures: { customers: [0, 3, 8] } });
const BOARD = {
  ground: GROUND,
  labels: Int32Array.of(1, 0, -1),
  grids: [{ code: '01' }, { code: '02' }],
} as unknown as Board;
const BY_GRID = {
  grids: new Map([
    ['01', '#102030'],
    ['02', '#a0b0c0'],
  ]),
  cells: null,
} as unknown as Colouring;

describe('the colour of each cell', () => {
  it('is that of its grid, and none without one', () => {
    expect([...cellColours(BY_GRID, BOARD)]).toEqual([
      ...bytesOf('#a0b0c0'),
      ...bytesOf('#102030'),
      0,
      0,
      0,
      0,
    ]);
  });

  it('is that of its class where cells carry the colour', () => {
    const cells = { measure: 'customers', breaks: [5], colours: ['#111111', '#222222'], none: '#333333' };
    expect([...cellColours({ ...BY_GRID, cells }, BOARD)]).toEqual([
      ...bytesOf('#333333'),
      ...bytesOf('#111111'),
      ...bytesOf('#222222'),
    ]);
  });
});
