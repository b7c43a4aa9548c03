/** The base map under the cells, where the operator names one: picture tiles or a style. */
import type { Map as MapLibre, StyleSpecification } from 'maplibre-gl';
import { listenForShifted, shiftedTemplate } from './shifted.ts';

export interface BaseMap {
  tiles: string[];
  style: string | null;
  crs: 'wgs84' | 'gcj02';
  credit: string;
}

const PREFIX = 'base ';

export function isBase(id: string): boolean {
  return id.startsWith(PREFIX);
}

/** Put it under the layer named; gives the ids of its layers, so that they can be switched. */
export async function addBase(map: MapLibre, base: BaseMap, under: string): Promise<string[]> {
  return base.style === null ? addTiles(map, base, under) : addStyle(map, base.style, under);
}

function addTiles(map: MapLibre, { tiles, crs }: BaseMap, under: string): string[] {
  if (crs === 'gcj02') listenForShifted();
  return tiles.map((template, i) => {
    const id = `${PREFIX}${i}`;
    const address = crs === 'gcj02' ? shiftedTemplate(template) : absolute(template, location.href);
    map.addSource(id, { type: 'raster', tiles: [address], tileSize: 256, maxzoom: 18 });
    map.addLayer({ id, source: id, type: 'raster' }, under);
    return id;
  });
}

/** Sources and layers of a style, under names of their own; its letters and signs come from its host too. */
async function addStyle(map: MapLibre, address: string, under: string): Promise<string[]> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`the base map's host answers ${response.status}`);
  const style = (await response.json()) as StyleSpecification;
  const from = response.url;
  if (style.glyphs) map.setGlyphs(absolute(style.glyphs, from));
  if (typeof style.sprite === 'string') map.setSprite(absolute(style.sprite, from));
  for (const [name, source] of Object.entries(style.sources)) {
    const { url, tiles } = source as { url?: string; tiles?: string[] };
    map.addSource(PREFIX + name, {
      ...source,
      ...(url === undefined ? {} : { url: absolute(url, from) }),
      ...(tiles === undefined ? {} : { tiles: tiles.map((tile) => absolute(tile, from)) }),
    } as Parameters<MapLibre['addSource']>[1]);
  }
  return style.layers.map((layer) => {
    const named = 'source' in layer ? { ...layer, source: PREFIX + layer.source } : layer;
    const id = PREFIX + layer.id;
    map.addLayer({ ...named, id } as Parameters<MapLibre['addLayer']>[0], under);
    return id;
  });
}

/** An address as it is meant from a page, its {places} untouched. */
function absolute(address: string, from: string): string {
  return new URL(address, from).href.replaceAll('%7B', '{').replaceAll('%7D', '}');
}
