/** The map: grids, cells, labels and the mark of a question, on an empty ground. */
import 'maplibre-gl/dist/maplibre-gl.css';
import {
  Map as MapLibre,
  Marker,
  ScaleControl,
  setWorkerUrl,
  type DataDrivenPropertyValueSpecification,
  type GeoJSONSource,
  type LayerSpecification,
  type MapMouseEvent,
} from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import type { Feature, FeatureCollection } from 'geojson';
import type { Area } from './api.ts';
import type { Colouring } from './colouring.ts';
import { h } from './dom.ts';
import { boxOf, labelPoint, type Box } from './geo.ts';
import { hatchImage, IMAGE_RATIO, labelImage } from './labels.ts';
import { currentTheme, type Theme } from './theme.ts';
import { teamName, type Cells, type View } from './view.ts';

setWorkerUrl(workerUrl);

export interface Pick {
  lon: number;
  lat: number;
  grid: string | null;
}

const SOURCES = ['territory', 'grids', 'cells', 'labels', 'picked'] as const;
const NOTHING: FeatureCollection = { type: 'FeatureCollection', features: [] };
/** Below this size on screen, in pixels, outlines of cells would only darken the map. */
const CELL_PIXELS = 14;

type Colour = DataDrivenPropertyValueSpecification<string>;

function layers(theme: Theme): LayerSpecification[] {
  return [
    { id: 'ground', type: 'background', paint: { 'background-color': theme.ground } },
    {
      id: 'grids',
      type: 'fill',
      source: 'grids',
      paint: { 'fill-color': theme.scheme.none, 'fill-antialias': false },
    },
    { id: 'cells', type: 'fill', source: 'cells', layout: { visibility: 'none' }, paint: {} },
    {
      id: 'carve-outs',
      type: 'fill',
      source: 'grids',
      filter: ['to-boolean', ['get', 'carve_out']],
      paint: { 'fill-pattern': 'hatch' },
    },
    {
      id: 'hover',
      type: 'fill',
      source: 'grids',
      paint: {
        'fill-color': theme.accent,
        'fill-opacity': ['case', ['boolean', ['feature-state', 'hover'], false], 0.14, 0],
      },
    },
    {
      id: 'cell-lines',
      type: 'line',
      source: 'cells',
      paint: { 'line-color': theme.cell, 'line-width': 0.6 },
    },
    {
      id: 'grid-lines',
      type: 'line',
      source: 'grids',
      layout: { 'line-join': 'round' },
      paint: {
        'line-color': theme.border,
        'line-width': ['interpolate', ['linear'], ['zoom'], 8, 1.2, 13, 3],
      },
    },
    {
      id: 'territory',
      type: 'line',
      source: 'territory',
      layout: { 'line-join': 'round' },
      paint: { 'line-color': theme.outline, 'line-width': 1.6 },
    },
    {
      id: 'picked',
      type: 'line',
      source: 'picked',
      layout: { 'line-join': 'round' },
      paint: { 'line-color': theme.accent, 'line-width': ['match', ['get', 'kind'], 'cell', 1.8, 3] },
    },
    {
      id: 'labels',
      type: 'symbol',
      source: 'labels',
      layout: {
        'icon-image': ['step', ['zoom'], ['get', 'short'], 11, ['get', 'long']],
        'symbol-sort-key': ['get', 'order'],
        'icon-padding': 1,
      },
    },
  ];
}

export class GridMap {
  private readonly map: MapLibre;
  private readonly ready: Promise<void>;
  private readonly mark: Marker;
  private hovered: string | null = null;
  private view: View | null = null;
  private colouring: Colouring | null = null;
  private cells: Cells = [];
  private labelNames: string[] = [];

  constructor(container: HTMLElement, onPick: (pick: Pick) => void) {
    this.map = new MapLibre({
      container,
      style: {
        version: 8,
        sources: Object.fromEntries(
          SOURCES.map((name) => [
            name,
            { type: 'geojson', data: NOTHING, ...promote(name), tolerance: 0.2, maxzoom: 14 } as const,
          ]),
        ),
        layers: [],
      },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      renderWorldCopies: false,
      fadeDuration: 0,
      maxZoom: 18,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new ScaleControl({ maxWidth: 110 }), 'bottom-right');
    this.mark = new Marker({ element: h('div', { class: 'mark' }), anchor: 'bottom' });
    this.ready = new Promise((resolve) => {
      void this.map.once('load', () => {
        this.dress();
        resolve();
      });
    });
    this.listen(onPick);
  }

  /** Name the map for readers of the page. */
  label(text: string): void {
    this.map.getCanvas().setAttribute('aria-label', text);
  }

  async showTerritory(territory: Area): Promise<void> {
    await this.ready;
    this.fill('territory', [{ type: 'Feature', properties: {}, geometry: territory }]);
    this.frame(boxOf([territory]), false);
  }

  async showGrids(view: View): Promise<void> {
    await this.ready;
    this.view = view;
    this.cells = [];
    this.fill('grids', view.grids.features);
    this.fill('cells', []);
  }

  async showCells(cells: Cells): Promise<void> {
    await this.ready;
    this.cells = cells;
    this.fill('cells', cells);
    this.setCellZoom(cells);
  }

  async clear(): Promise<void> {
    await this.ready;
    this.view = null;
    this.colouring = null;
    for (const name of SOURCES) this.fill(name, []);
    this.mark.remove();
  }

  async paint(colouring: Colouring): Promise<void> {
    await this.ready;
    this.colouring = colouring;
    const pairs = [...colouring.grids].flat();
    const none = currentTheme().scheme.none;
    const colour = pairs.length ? (['match', ['get', 'code'], ...pairs, none] as unknown as Colour) : none;
    this.map.setPaintProperty('grids', 'fill-color', colour);
    this.map.setLayoutProperty('cells', 'visibility', colouring.cells ? 'visible' : 'none');
    if (colouring.cells) {
      this.map.setPaintProperty('cells', 'fill-color', cellColour(colouring.cells));
    }
    this.drawLabels();
  }

  /** Follow the change between day and night. */
  async retheme(): Promise<void> {
    await this.ready;
    this.dress();
  }

  /** Outline a grid, a cell, both or none. */
  async select(grid: string | null, cell: string | null): Promise<void> {
    await this.ready;
    const picked: Feature[] = [];
    const area = grid === null ? undefined : this.view?.byCode.get(grid);
    if (area) picked.push({ type: 'Feature', properties: { kind: 'grid' }, geometry: area.geometry });
    const atom = cell === null ? undefined : this.cells.find((item) => item.properties.cell === cell);
    if (atom) picked.push({ type: 'Feature', properties: { kind: 'cell' }, geometry: atom.geometry });
    this.fill('picked', picked);
  }

  async markAt(point: [number, number] | null): Promise<void> {
    await this.ready;
    this.mark.remove();
    if (point) this.mark.setLngLat(point).addTo(this.map);
  }

  /** Zoom to an area, beside whatever covers the right of the map (its width in pixels). */
  zoomTo(area: Area, covered: number): void {
    this.frame(boxOf([area]), true, covered);
  }

  /** Move the map until a point is no longer under something which covers the map from `left` to the right. */
  uncover(point: [number, number], cover: { left: number; top: number }): void {
    const { x, y } = this.map.project(point);
    if (x > cover.left && y > cover.top) this.map.panBy([x - cover.left + 60, 0]);
  }

  /** Bring a point into sight, near enough to tell cells apart. */
  goTo(point: [number, number]): void {
    this.map.easeTo({ center: point, zoom: Math.max(this.map.getZoom(), 12) });
  }

  zoomBy(levels: number): void {
    this.map.easeTo({ zoom: this.map.getZoom() + levels });
  }

  fit(): void {
    if (this.view) this.frame(this.view.box, true);
  }

  private frame([west, south, east, north]: Box, animate: boolean, covered = 0): void {
    if (!animate) this.map.resize();
    const { clientWidth, clientHeight } = this.map.getContainer();
    const side = Math.min(48, clientWidth / 10);
    this.map.fitBounds([west, south, east, north], {
      padding: { top: Math.min(76, clientHeight / 6), bottom: side, left: side, right: side + covered },
      animate,
      maxZoom: 15,
    });
  }

  private fill(name: (typeof SOURCES)[number], features: Feature[]): void {
    const source = this.map.getSource<GeoJSONSource>(name);
    void source?.setData({ type: 'FeatureCollection', features });
  }

  private setCellZoom(cells: Cells): void {
    if (!this.view || cells.length === 0) return;
    const [west, south, east, north] = this.view.box;
    const width = Math.sqrt(((east - west) * (north - south)) / cells.length);
    const zoom = Math.log2((CELL_PIXELS * 360) / (512 * width));
    this.map.setLayerZoomRange('cell-lines', Math.max(0, zoom), 24);
    this.map.setPaintProperty('cell-lines', 'line-opacity', [
      'interpolate',
      ['linear'],
      ['zoom'],
      zoom,
      0.08,
      zoom + 2,
      0.35,
    ]);
  }

  /** (Re)make pictures and layers in the theme's colours; data stays in the sources. */
  private dress(): void {
    const theme = currentTheme();
    if (this.map.hasImage('hatch')) this.map.removeImage('hatch');
    this.map.addImage('hatch', hatchImage(theme.text), { pixelRatio: IMAGE_RATIO });
    for (const layer of layers(theme)) {
      if (this.map.getLayer(layer.id)) this.map.removeLayer(layer.id);
      this.map.addLayer(layer);
    }
    this.setCellZoom(this.cells);
  }

  private drawLabels(): void {
    const { view, colouring } = this;
    if (!view || !colouring) return;
    const theme = currentTheme();
    for (const name of this.labelNames) this.map.removeImage(name);
    this.labelNames = [];
    const add = (name: string, lines: Parameters<typeof labelImage>[0]): void => {
      this.map.addImage(name, labelImage(lines, theme.text, theme.halo), { pixelRatio: IMAGE_RATIO });
      this.labelNames.push(name);
    };
    const features = view.grids.features.map(({ properties, geometry }): Feature => {
      const { code, name } = properties;
      const main = colouring.label === 'team' ? teamName(properties) || code : code;
      const more = colouring.label === 'team' ? code : (name ?? '');
      const short = `short ${code}`;
      const long = `long ${code}`;
      add(short, [{ text: main, size: 11.5, weight: 600 }]);
      add(long, [
        { text: main, size: 13, weight: 650 },
        ...(more ? [{ text: more, size: 11.5, weight: 450 }] : []),
      ]);
      return {
        type: 'Feature',
        properties: { short, long, order: -properties.area_km2 },
        geometry: { type: 'Point', coordinates: labelPoint(geometry) },
      };
    });
    this.fill('labels', features);
  }

  private listen(onPick: (pick: Pick) => void): void {
    this.map.on('mousemove', (event) => this.hover(this.gridUnder(event)));
    this.map.on('mouseout', () => this.hover(null));
    this.map.on('click', (event) => {
      const { lng: lon, lat } = event.lngLat;
      onPick({ lon, lat, grid: this.gridUnder(event) });
    });
  }

  private gridUnder(event: MapMouseEvent): string | null {
    if (!this.map.getLayer('grids')) return null;
    const [feature] = this.map.queryRenderedFeatures(event.point, { layers: ['grids'] });
    const code: unknown = feature?.properties['code'];
    return typeof code === 'string' ? code : null;
  }

  private hover(code: string | null): void {
    if (code === this.hovered) return;
    if (this.hovered !== null)
      this.map.setFeatureState({ source: 'grids', id: this.hovered }, { hover: false });
    if (code !== null) this.map.setFeatureState({ source: 'grids', id: code }, { hover: true });
    this.hovered = code;
    this.map.getCanvas().style.cursor = code === null ? '' : 'pointer';
  }
}

function promote(name: (typeof SOURCES)[number]): { promoteId?: string } {
  return name === 'grids' ? { promoteId: 'code' } : {};
}

function cellColour({ measure, breaks, colours, none }: NonNullable<Colouring['cells']>): Colour {
  const value = ['to-number', ['get', measure], 0];
  const steps = breaks.flatMap((limit, i) => [limit, colours[i + 1] ?? none]);
  const filled = steps.length ? ['step', value, colours[0] ?? none, ...steps] : (colours[0] ?? none);
  return ['case', ['<=', value, 0], none, filled] as unknown as Colour;
}
