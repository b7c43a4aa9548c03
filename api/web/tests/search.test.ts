import { describe, expect, it } from 'vitest';
import type { GridProperties } from '../src/api.ts';
import { makeGround, type Board } from '../src/board.ts';
import { search } from '../src/search.ts';
import { squares } from './squares.ts';

function grid(code: string, name: string, team: string, lead: string, cells = 1): GridProperties {
  return { code, name, team, team_name: `Team ${team}`, lead_name: lead, cells } as GridProperties;
}

const grids = [
  grid('1', 'Harbour', 'a', 'Ada'),
  grid('10', 'Hill', 'a', 'Ada'),
  grid('2', 'Old harbour', 'b', '王芳'),
  grid('11', 'Left', 'b', '王芳', 0),
];
const ground = makeGround(squares(2, 2));
const board = { ground, grids, subject: { publication: null } } as unknown as Board;
const published = { ...board, subject: { publication: {} } } as unknown as Board;
const titles = (text: string): string[] =>
  search(board, text).map((found) => ('title' in found ? `${found.kind} ${found.title}` : found.kind));

describe('a search', () => {
  it('finds nothing for nothing', () => {
    expect(search(published, '  ')).toEqual([]);
  });

  it('finds grids by code, the whole one first', () => {
    expect(titles('1')).toEqual(['grid 1 Harbour', 'grid 10 Hill']);
  });

  it('finds grids by name, from its start first, and never those without cells', () => {
    expect(titles('HARBOUR')).toEqual(['grid 1 Harbour', 'grid 2 Old harbour']);
    expect(titles('left')).toEqual([]);
  });

  it('finds a team by its lead, with all its grids', () => {
    expect(search(board, '王')).toEqual([{ kind: 'team', grids: [2], title: 'Team b', more: '王芳' }]);
    expect(search(board, 'ada')).toMatchObject([{ kind: 'team', grids: [0, 1] }]);
  });

  it('takes two numbers for a place, latitude first', () => {
    expect(search(published, '51.5, -0.1')).toEqual([{ kind: 'point', lat: 51.5, lon: -0.1 }]);
  });

  it('knows cells by their id', () => {
    expect(search(published, 's002')).toEqual([{ kind: 'cell', row: 2, title: 's002' }]);
  });

  it('offers to ask for a customer where something is published', () => {
    expect(search(published, 'C-77')).toEqual([{ kind: 'customer', id: 'C-77' }]);
    expect(search(board, 'C-77')).toEqual([]);
  });
});
