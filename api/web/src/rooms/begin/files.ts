/** What can be told of a file before it is sent: its columns, and which features make up a territory. */
import type { Feature, FeatureCollection, MultiPolygon, Polygon, Position } from 'geojson';

export type District = Feature<Polygon | MultiPolygon>;

/** Columns of properties, in the order they first appear. */
export function columnsOf({ features }: Pick<FeatureCollection, 'features'>): string[] {
  return [...new Set(features.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

export function districtsOf({ features }: FeatureCollection): District[] {
  return features.filter(
    (feature): feature is District =>
      feature.geometry?.type === 'Polygon' || feature.geometry?.type === 'MultiPolygon',
  );
}

/** The column people would call features by: one which tells them apart, a name before a code. */
export function namingColumn(features: readonly District[]): string | null {
  const columns = columnsOf({ features: [...features] });
  const apart = columns.filter(
    (column) => new Set(features.map((each) => nameOf(each, column))).size === features.length,
  );
  const usual = /^(name|名称|.*name.*|.*名.*)$/i;
  return apart.find((column) => usual.test(column)) ?? apart[0] ?? columns[0] ?? null;
}

export function nameOf({ properties }: Feature, column: string | null): string {
  const value: unknown = column === null ? null : properties?.[column];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Position of the district which a place lies in; -1 outside all. */
export function districtAt(features: readonly District[], lon: number, lat: number): number {
  return features.findIndex(({ geometry }) => {
    const parts = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
    return parts.some((rings) => rings.filter((ring) => isWithin(ring, lon, lat)).length % 2 === 1);
  });
}

function isWithin(ring: Position[], lon: number, lat: number): boolean {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [ax = 0, ay = 0] = ring[i] ?? [];
    const [bx = 0, by = 0] = ring[j] ?? [];
    if (ay > lat !== by > lat && lon < ax + ((lat - ay) / (by - ay)) * (bx - ax)) inside = !inside;
  }
  return inside;
}

/** An id for an address: of the name if it is written in Latin letters, else of the day. */
export function slugOf(name: string, now: Date): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60);
  return /[a-z]/.test(plain) ? plain : `territory-${now.toISOString().slice(0, 16).replace(/\D/g, '')}`;
}

/** The columns in the first line of a CSV: UTF-8, or GB 18030 as Excel writes it in China. */
export function csvColumns(bytes: Uint8Array): string[] {
  const utf8 = new TextDecoder('utf-8').decode(bytes);
  // A cut character at the very end is no sign of another encoding.
  const text = utf8.slice(0, -4).includes('\uFFFD') ? new TextDecoder('gb18030').decode(bytes) : utf8;
  const [line = ''] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const mark = [',', '\t', ';'].reduce((a, b) => (line.split(b).length > line.split(a).length ? b : a));
  return line
    .split(mark)
    .map((column) => column.trim().replace(/^"(.*)"$/, '$1'))
    .filter(Boolean);
}

/** Columns of a file which can be read without a library; none where only the service can. */
export async function columnsOfFile(file: File): Promise<string[]> {
  if (/\.(csv|txt|tsv)$/i.test(file.name)) {
    return csvColumns(new Uint8Array(await file.slice(0, 65536).arrayBuffer()));
  }
  if (/\.(geo)?json$/i.test(file.name) && file.size < 80e6) {
    try {
      const read = JSON.parse(await file.text()) as Partial<FeatureCollection>;
      return columnsOf({ features: read.features ?? [] });
    } catch {
      return []; // the service says what is wrong with it
    }
  }
  return [];
}

export function listOf(text: string): string[] {
  return text
    .split(/[,，、;；\n]/)
    .map((part) => part.trim())
    .filter(Boolean);
}
