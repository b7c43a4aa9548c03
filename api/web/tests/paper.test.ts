import { describe, expect, it } from 'vitest';
import { Format } from '../src/format.ts';
import { I18n } from '../src/i18n.ts';
import type { Context } from '../src/context.ts';
import { roundLength } from '../src/rooms/paper/map.ts';
import { wrap } from '../src/rooms/paper/picture.ts';
import { flowLines } from '../src/rooms/paper/sheet.ts';

const CONTEXT = { api: null, i18n: new I18n('en'), format: new Format('en') } as unknown as Context;

describe('who comes and goes', () => {
  it('is told from the side of the grid, most customers first', () => {
    const flows = [
      { from: '01', to: '02', cells: 3, customers: 10 },
      { from: '03', to: '02', cells: 1, customers: 20 },
      { from: '02', to: null, cells: 2, customers: 0 },
      { from: '01', to: '03', cells: 9, customers: 90 },
    ];
    expect(flowLines(flows, '02', CONTEXT)).toEqual([
      'from grid 03: 20 customers, 1 cell',
      'from grid 01: 10 customers, 3 cells',
      'to grid none: 0 customers, 2 cells',
    ]);
    expect(flowLines([], '02', CONTEXT)).toEqual(['nobody']);
  });
});

describe('lines of a picture', () => {
  const width = (text: string): number => text.length;

  it('break between words, and anywhere in Chinese, and lose nothing', () => {
    expect(wrap('one two three', 8, width)).toEqual(['one two', 'three']);
    expect(wrap('相邻网格很多', 4, width)).toEqual(['相邻网格', '很多']);
    expect(wrap('unbreakable', 4, width)).toEqual(['unbreakable']);
    expect(wrap('', 4, width)).toEqual([]);
  });
});

it('a scale has a round length', () => {
  expect([1, 1.9, 2, 4999, 5000, 9999].map(roundLength)).toEqual([1, 1, 2, 2000, 5000, 5000]);
});
