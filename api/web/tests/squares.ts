import type { CellColumns } from '../src/mesh/mesh.ts';

/** Unit squares in degrees, `wide` in a row. */
export function squares(wide: number, high: number): CellColumns {
  const cells: string[] = [];
  const outlines: CellColumns['outlines'] = {};
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const ring = [
        [x, y],
        [x + 1, y],
        [x + 1, y + 1],
        [x, y + 1],
        [x, y],
      ];
      outlines[cells.length] = [[ring]];
      cells.push(`s${String(cells.length).padStart(3, '0')}`);
    }
  }
  const area_km2 = cells.map(() => 1);
  return { tiling: 't', kind: 'polygons', resolution: null, cells, area_km2, measures: {}, outlines };
}
