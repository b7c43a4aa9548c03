/** Picture tiles drawn in GCJ-02, put where they belong: each tile is cut from those it lies on. */
import { addProtocol } from 'maplibre-gl';
import { wgs84ToGcj02 } from '../crs.ts';

const SIZE = 256;
const SCHEME = 'gcj02';

/** Where a tile lies among those of the shifted map, in tiles from their corner. */
export function shiftedCorner(z: number, x: number, y: number): [number, number] {
  // Over one tile the shift changes by less than a pixel, so that of its middle stands for all of it.
  const middle: [number, number] = [lonOf(z, x + 0.5), latOf(z, y + 0.5)];
  const [lon, lat] = wgs84ToGcj02(middle);
  return [columnOf(z, lon) - 0.5, rowOf(z, lat) - 0.5];
}

/** Tiles of the shifted map which a tile lies on, and where each is drawn, in pixels. */
export function partsOf(z: number, x: number, y: number): { x: number; y: number; at: [number, number] }[] {
  const [left, top] = shiftedCorner(z, x, y).map((at) => Math.round(at * SIZE) / SIZE) as [number, number];
  const parts = [];
  for (let column = Math.floor(left); column < left + 1; column++) {
    for (let row = Math.floor(top); row < top + 1; row++) {
      parts.push({ x: column, y: row, at: [(column - left) * SIZE, (row - top) * SIZE] as [number, number] });
    }
  }
  return parts;
}

/** A template by which the map asks for tiles put right. */
export function shiftedTemplate(template: string): string {
  return `${SCHEME}://{z}/{x}/{y}/${encodeURIComponent(template)}`;
}

export function listenForShifted(): void {
  addProtocol(SCHEME, async ({ url }, { signal }) => {
    const [z = '', x = '', y = '', template = ''] = url.slice(SCHEME.length + 3).split('/');
    const parts = partsOf(Number(z), Number(x), Number(y)).map(async (part) => {
      const address = filled(decodeURIComponent(template), z, part.x, part.y);
      return { picture: await pictureAt(address, signal), at: part.at };
    });
    const canvas = new OffscreenCanvas(SIZE, SIZE);
    const context = canvas.getContext('2d');
    for (const { picture, at } of await Promise.all(parts)) {
      if (picture) context?.drawImage(picture, at[0], at[1], SIZE, SIZE);
    }
    return { data: canvas.transferToImageBitmap() };
  });
}

function filled(template: string, z: string, x: number, y: number): string {
  return template.replaceAll('{z}', z).replaceAll('{x}', String(x)).replaceAll('{y}', String(y));
}

/** A tile's picture; null where the map has none, as beyond its border. */
async function pictureAt(address: string, signal: AbortSignal): Promise<ImageBitmap | null> {
  const response = await fetch(address, { signal });
  return response.ok && response.status !== 204 ? createImageBitmap(await response.blob()) : null;
}

// --- the square map of the web: columns from the date line, rows from the north

function lonOf(z: number, column: number): number {
  return (column / 2 ** z) * 360 - 180;
}

function latOf(z: number, row: number): number {
  return (Math.atan(Math.sinh(Math.PI * (1 - (2 * row) / 2 ** z))) * 180) / Math.PI;
}

function columnOf(z: number, lon: number): number {
  return ((lon + 180) / 360) * 2 ** z;
}

function rowOf(z: number, lat: number): number {
  const angle = (lat * Math.PI) / 180;
  return ((1 - Math.asinh(Math.tan(angle)) / Math.PI) / 2) * 2 ** z;
}
