/** The order and choice of rows in the table of grids, apart from how they look. */
import type { GridProperties } from './api.ts';
import { teamName } from './board.ts';

export type Column =
  { by: 'code' | 'name' | 'team' | 'lead' } | { by: 'measure' | 'deviation'; measure: string };

export interface Sort {
  column: Column;
  descending: boolean;
}

export function sameColumn(a: Column, b: Column): boolean {
  return a.by === b.by && ('measure' in a ? a.measure : '') === ('measure' in b ? b.measure : '');
}

/** What a click on a column's head does: turn it round, or start with it; numbers start with the largest. */
export function nextSort(sort: Sort, column: Column): Sort {
  if (sameColumn(sort.column, column)) return { column, descending: !sort.descending };
  return { column, descending: 'measure' in column };
}

function textOf(grid: GridProperties, by: 'code' | 'name' | 'team' | 'lead'): string {
  switch (by) {
    case 'code':
      return grid.code;
    case 'name':
      return grid.name ?? '';
    case 'team':
      return teamName(grid);
    case 'lead':
      return grid.lead_name ?? '';
  }
}

/** Rows which contain every word of the filter, sorted; rows without a value come last either way. */
export function arrange(
  grids: readonly GridProperties[],
  filter: string,
  { column, descending }: Sort,
  locale: string,
): GridProperties[] {
  const words = filter.toLocaleLowerCase(locale).split(/\s+/).filter(Boolean);
  const rows = grids.filter((grid) => {
    const text = (['code', 'name', 'team', 'lead'] as const).map((by) => textOf(grid, by)).join('\n');
    return words.every((word) => text.toLocaleLowerCase(locale).includes(word));
  });
  const collator = new Intl.Collator(locale, { numeric: true });
  const sign = descending ? -1 : 1;
  if (!('measure' in column)) {
    const { by } = column;
    return rows.sort((a, b) => sign * collator.compare(textOf(a, by), textOf(b, by)));
  }
  const { by, measure } = column;
  const valueOf = (grid: GridProperties): number | null =>
    (by === 'measure' ? grid.measures : grid.deviation)[measure] ?? null;
  return rows.sort((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return sign * (x - y);
  });
}
