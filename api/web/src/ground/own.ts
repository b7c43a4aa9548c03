/** The company's own layers over the cells: outlines of areas, lines and points, with their names. */
import type { LayerSpecification } from 'maplibre-gl';
import type { Feature, FeatureCollection, Geometry, Position } from 'geojson';
import { labelPoint } from '../geo.ts';

/** A picture of a name: over a point it stands below the dot, elsewhere in the middle. */
export const NAME = { below: 'named below ', here: 'named ' } as const;

const NAMES = ['name', 'NAME', 'Name', '名称', '名'];

/** Colours of what everybody knows; others go by their kind of geometry. */
const COLOURS: Readonly<Record<string, string>> = {
  rivers: '#3f8fd6',
  roads: '#8a7d6b',
  districts: '#7a4fa3',
  outlets: '#c2410c',
};

function nameOf({ properties }: Feature): string {
  const key = NAMES.find((name) => typeof properties?.[name] === 'string');
  return key === undefined ? '' : String(properties?.[key]);
}

function middleOf(geometry: Geometry): Position | null {
  switch (geometry.type) {
    case 'Point':
      return geometry.coordinates;
    case 'Polygon':
    case 'MultiPolygon':
      return labelPoint(geometry);
    case 'LineString':
      return geometry.coordinates[geometry.coordinates.length >> 1] ?? null;
    default:
      return null;
  }
}

/** The features with a point for each name beside them. */
export function withNames({ features }: FeatureCollection): FeatureCollection {
  const names = features.flatMap((feature): Feature[] => {
    const [name, at] = [nameOf(feature), middleOf(feature.geometry)];
    if (!name || !at) return [];
    const image = (feature.geometry.type === 'Point' ? NAME.below : NAME.here) + name;
    return [{ type: 'Feature', properties: { image }, geometry: { type: 'Point', coordinates: at } }];
  });
  return { type: 'FeatureCollection', features: [...features, ...names] };
}

/** How a layer is drawn: areas by their outlines, so that the cells' colours stay what they mean. */
export function layersOf(name: string, source: string): LayerSpecification[] {
  const colour = COLOURS[name] ?? '#8a5a00';
  const areas = ['in', ['geometry-type'], ['literal', ['Polygon', 'MultiPolygon']]] as never;
  const lines = ['in', ['geometry-type'], ['literal', ['LineString', 'MultiLineString']]] as never;
  const points = [
    'all',
    ['in', ['geometry-type'], ['literal', ['Point', 'MultiPoint']]],
    ['!', ['has', 'image']],
  ] as never;
  return [
    {
      id: `${source} areas`,
      source,
      type: 'line',
      filter: areas,
      paint: { 'line-color': colour, 'line-width': 1.8, 'line-dasharray': [4, 2] },
    },
    {
      id: `${source} lines`,
      source,
      type: 'line',
      filter: lines,
      layout: { 'line-join': 'round', 'line-cap': 'round' },
      paint: {
        'line-color': colour,
        'line-width': ['interpolate', ['linear'], ['zoom'], 8, 1.4, 14, 4],
        'line-opacity': 0.9,
      },
    },
    {
      id: `${source} points`,
      source,
      type: 'circle',
      filter: points,
      paint: {
        'circle-color': colour,
        'circle-radius': 5,
        'circle-stroke-color': '#ffffff',
        'circle-stroke-width': 1.5,
      },
    },
    {
      id: `${source} names`,
      source,
      type: 'symbol',
      filter: ['has', 'image'],
      layout: { 'icon-image': ['get', 'image'], 'icon-padding': 2 },
    },
  ];
}
