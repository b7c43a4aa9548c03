import { describe, expect, it } from 'vitest';
import { columnsOf, parseCsv } from '../src/rooms/data/csv.ts';
import { badRows, boxAround } from '../src/rooms/data/rows.ts';

describe('CSV', () => {
  it('keeps what quotes hold together', () => {
    expect(parseCsv('\uFEFFa,"b ""c"", d"\r\n1,"two\nlines"\n')).toEqual([
      ['a', 'b "c", d'],
      ['1', 'two\nlines'],
    ]);
  });

  it('needs no line break at its end', () => {
    expect(parseCsv('a,b\n1,')).toEqual([
      ['a', 'b'],
      ['1', ''],
    ]);
  });

  it('tells the columns of a file, also in GB 18030; of other formats only the service does', async () => {
    const chinese = new Uint8Array([0xbe, 0xad, 0xb6, 0xc8, 0x2c, 0x69, 0x64, 0x0a]);
    expect(await columnsOf(new File([chinese], 'a.csv'))).toEqual(['经度', 'id']);
    expect(await columnsOf(new File([' id , lon\n1,2'], 'a.CSV'))).toEqual(['id', 'lon']);
    expect(await columnsOf(new File(['PK'], 'a.xlsx'))).toEqual([]);
  });
});

describe('rows which need a human', () => {
  it('have a place where both coordinates are numbers', () => {
    const rows = badRows(
      'row,id,verdict,reason,cure,lon,lat\n2,007,outside,lies outside,check,113.5,28.6\n3,8,missing,no place,add,,\n',
    );
    expect(rows.map(({ row, id, at }) => [row, id, at])).toEqual([
      [2, '007', [113.5, 28.6]],
      [3, '8', null],
    ]);
  });

  it('are framed, but for those which lie nowhere on the earth', () => {
    expect(
      boxAround([
        [1, 2],
        [3, 0],
        [4e5, 3e6],
      ]),
    ).toEqual([1, 0, 3, 2]);
    expect(boxAround([[4e5, 3e6]])).toBeNull();
  });
});
