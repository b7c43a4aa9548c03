/** Rows of an import which need a human, as the service lists them. */
import type { Box } from '../../geo.ts';
import { parseCsv } from './csv.ts';

/** A row which a human must look at. */
export interface BadRow {
  row: number;
  id: string;
  verdict: string;
  reason: string;
  cure: string;
  at: [number, number] | null;
}

export function badRows(text: string): BadRow[] {
  const [head = [], ...rows] = parseCsv(text);
  const at = (name: string): number => head.indexOf(name);
  const [row, id, verdict, reason, cure, lon, lat] = (
    ['row', 'id', 'verdict', 'reason', 'cure', 'lon', 'lat'] as const
  ).map(at) as [number, number, number, number, number, number, number];
  return rows.map((fields) => {
    const [x, y] = [fields[lon] ?? '', fields[lat] ?? ''];
    const known = x !== '' && y !== '' && Number.isFinite(Number(x)) && Number.isFinite(Number(y));
    return {
      row: Number(fields[row]),
      id: fields[id] ?? '',
      verdict: fields[verdict] ?? '',
      reason: fields[reason] ?? '',
      cure: fields[cure] ?? '',
      at: known ? [Number(x), Number(y)] : null,
    };
  });
}

/** The box around places; null where there are none. */
export function boxAround(points: readonly (readonly [number, number])[]): Box | null {
  if (points.length === 0) return null;
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [lon, lat] of points) {
    // What is no place on the earth cannot be shown.
    if (Math.abs(lon) > 180 || Math.abs(lat) > 85) continue;
    box[0] = Math.min(box[0], lon);
    box[1] = Math.min(box[1], lat);
    box[2] = Math.max(box[2], lon);
    box[3] = Math.max(box[3], lat);
  }
  return box[0] <= box[2] ? box : null;
}
