/** Shapes drawn over the map while something is chosen: districts, defects, points, lines. */
import type { Feature, Geometry } from 'geojson';
import type { GeoJSONSource } from 'maplibre-gl';
import type { Stage } from '../../stage.ts';
import { currentTheme, onThemeChange } from '../../theme.ts';

/** A shape; `strong` ones stand out. */
export interface Shape {
  geometry: Geometry;
  strong?: boolean;
}

let made = 0;

export class Sketch {
  private readonly name = `sketch-${++made}`;
  private shapes: readonly Shape[] = [];
  private gone = false;

  constructor(private readonly stage: Stage | null) {
    onThemeChange(() => this.shapes.length > 0 && void this.show(this.shapes));
  }

  async show(shapes: readonly Shape[]): Promise<void> {
    this.shapes = shapes;
    const { stage, name } = this;
    if (!stage) return;
    await stage.whenReady();
    // Meanwhile others may have been shown, or the room left.
    if (this.gone || shapes !== this.shapes) return;
    const features = shapes.map(({ geometry, strong = false }): Feature => ({
      type: 'Feature',
      properties: { strong },
      geometry,
    }));
    const data = { type: 'FeatureCollection' as const, features };
    const source = stage.map.getSource<GeoJSONSource>(name);
    if (source) {
      void source.setData(data);
    } else if (features.length > 0) {
      stage.map.addSource(name, { type: 'geojson', data, tolerance: 0.2 });
    } else return;
    this.dress();
  }

  clear(): void {
    void this.show([]);
  }

  remove(): void {
    this.gone = true;
    const map = this.stage?.map;
    if (!map?.getSource(this.name)) return;
    for (const kind of KINDS)
      if (map.getLayer(`${this.name}-${kind}`)) map.removeLayer(`${this.name}-${kind}`);
    map.removeSource(this.name);
  }

  private dress(): void {
    const map = this.stage?.map;
    if (!map) return;
    const { accent, alert, halo, outline } = currentTheme();
    const colour = ['case', ['get', 'strong'], accent, outline] as never;
    const layer = (kind: (typeof KINDS)[number]): string => `${this.name}-${kind}`;
    for (const kind of KINDS) if (map.getLayer(layer(kind))) map.removeLayer(layer(kind));
    map.addLayer({
      id: layer('fill'),
      type: 'fill',
      source: this.name,
      filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'fill-color': colour, 'fill-opacity': ['case', ['get', 'strong'], 0.3, 0.04] },
    });
    map.addLayer({
      id: layer('line'),
      type: 'line',
      source: this.name,
      filter: ['!=', ['geometry-type'], 'Point'],
      paint: { 'line-color': colour, 'line-width': ['case', ['get', 'strong'], 2.4, 1] },
    });
    map.addLayer({
      id: layer('point'),
      type: 'circle',
      source: this.name,
      filter: ['==', ['geometry-type'], 'Point'],
      paint: {
        'circle-color': alert,
        'circle-radius': ['case', ['get', 'strong'], 8, 6],
        'circle-stroke-color': halo,
        'circle-stroke-width': 2,
      },
    });
  }
}

const KINDS = ['fill', 'line', 'point'] as const;
