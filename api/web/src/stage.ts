/** The map: cells, grids, labels and marks of one board, on an empty ground or a base map. */
import 'maplibre-gl/dist/maplibre-gl.css';
import {
  Map as MapLibre,
  Marker,
  ScaleControl,
  setWorkerUrl,
  type GeoJSONSource,
  type MapMouseEvent,
} from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import type { Feature, FeatureCollection } from 'geojson';
import type { Area } from './api.ts';
import type { Board } from './board.ts';
import { cellColours, type Colouring } from './colouring.ts';
import { h } from './dom.ts';
import { boxOf, type Box } from './geo.ts';
import { pickByKeys } from './keys.ts';
import { hatchImage, IMAGE_RATIO } from './labels.ts';
import { ANCHOR, coloursOf, over, under } from './map/look.ts';
import { Names } from './map/names.ts';
import { Mark, MeshLayer } from './mesh/layer.ts';
import { currentTheme } from './theme.ts';

setWorkerUrl(workerUrl);

/** Where the pointer is: `row` is that of the cell, -1 outside all. */
export interface Place {
  lon: number;
  lat: number;
  row: number;
}

/** Something which takes the pointer over, such as a brush; null gives it back to picking and panning. */
export interface Tool {
  cursor: string;
  start?(map: MapLibre): void;
  stop?(map: MapLibre): void;
  down?(place: Place, event: MapMouseEvent): boolean;
  move?(place: Place, event: MapMouseEvent): void;
  up?(place: Place, event: MapMouseEvent): void;
}

export interface StageEvents {
  pick(place: Place): void;
  /** @param at pixels from the left and top of the map. */
  hover(place: Place | null, at: { x: number; y: number } | null): void;
}

const SOURCES = ['territory', 'labels'] as const;
const NOTHING: FeatureCollection = { type: 'FeatureCollection', features: [] };
const CELLS = 'cells';
const RIGHT = 'cells-right';

export class Stage {
  readonly map: MapLibre;
  private readonly ready: Promise<void>;
  private readonly pin: Marker;
  private board: Board | null = null;
  private colouring: Colouring | null = null;
  private cells: MeshLayer | null = null;
  /** Another board on the right of the border, where two are compared. */
  private right: MeshLayer | null = null;
  private border = 0.5;
  private readonly names: Names;
  private opacity = 1;
  private tool: Tool | null = null;

  constructor(
    container: HTMLElement,
    private readonly events: StageEvents,
  ) {
    this.map = new MapLibre({
      container,
      style: {
        version: 8,
        sources: Object.fromEntries(
          SOURCES.map((name) => [name, { type: 'geojson', data: NOTHING, tolerance: 0.2 } as const]),
        ),
        layers: [],
      },
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      renderWorldCopies: false,
      fadeDuration: 0,
      maxZoom: 19,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new ScaleControl({ maxWidth: 110 }), 'bottom-right');
    this.names = new Names(this.map);
    this.pin = new Marker({ element: h('div', { class: 'mark' }), anchor: 'bottom' });
    this.ready = new Promise((resolve) => {
      void this.map.once('load', () => {
        this.dress();
        resolve();
      });
    });
    this.listen();
  }

  /** Name the map for readers of the page. */
  label(text: string): void {
    const canvas = this.map.getCanvas();
    canvas.setAttribute('aria-label', text);
    // It takes arrows and Enter itself, so readers must hand them on.
    canvas.setAttribute('role', 'application');
  }

  /** Resolves when layers may be added. */
  whenReady(): Promise<void> {
    return this.ready;
  }

  async showTerritory(territory: Area): Promise<void> {
    await this.ready;
    this.fill('territory', [{ type: 'Feature', properties: {}, geometry: territory }]);
    this.frame(boxOf([territory]), false);
  }

  /** Show a board; where it is on the same cells as before, only colours and borders are sent. */
  async show(board: Board): Promise<void> {
    await this.ready;
    if (this.board?.ground !== board.ground || !this.cells) {
      if (this.map.getLayer(CELLS)) this.map.removeLayer(CELLS);
      this.cells = new MeshLayer(CELLS, board.ground.mesh, coloursOf(currentTheme()));
      this.cells.opacity = this.opacity;
      this.map.addLayer(this.cells, ANCHOR.id);
    }
    this.board = board;
    this.cells.outline(board.labels);
    await this.mark(null);
  }

  /** Of the layer which what lies under the cells is put under. */
  get overGround(): string {
    return this.map.getLayer(CELLS) ? CELLS : ANCHOR.id;
  }

  /** Let what lies under the cells show through them: 1 hides it. */
  seeThrough(opacity: number): void {
    this.opacity = opacity;
    for (const layer of [this.cells, this.right]) if (layer) layer.opacity = opacity;
    this.map.triggerRepaint();
  }

  /** Leave a mark for whoever measures, when what was given last is drawn. */
  markNextFrame(name: string): void {
    void this.map.once('render', () => performance.mark(name));
    this.map.triggerRepaint();
  }

  /** The map as it is now, as the address of a picture; it can be read only while it is being drawn. */
  picture(): Promise<string> {
    return new Promise((resolve) => {
      void this.map.once('render', () => resolve(this.map.getCanvas().toDataURL()));
      this.map.triggerRepaint();
    });
  }

  async clear(): Promise<void> {
    await this.ready;
    if (this.map.getLayer(CELLS)) this.map.removeLayer(CELLS);
    this.cells = null;
    this.board = null;
    this.colouring = null;
    for (const name of SOURCES) this.fill(name, []);
    this.names.clear();
    this.pin.remove();
  }

  async paint(colouring: Colouring): Promise<void> {
    await this.ready;
    if (!this.board || !this.cells) return;
    this.colouring = colouring;
    this.cells.paint(cellColours(colouring, this.board), coloursOf(currentTheme()));
    this.drawLabels();
  }

  /** Show another board on the right of a border which `swipe` moves; null takes it away. */
  async beside(board: Board | null, colouring: Colouring | null): Promise<void> {
    await this.ready;
    if (this.map.getLayer(RIGHT)) this.map.removeLayer(RIGHT);
    this.right = null;
    if (!board || !colouring) {
      this.cells?.show([0, 1]);
      return;
    }
    this.right = new MeshLayer(RIGHT, board.ground.mesh, coloursOf(currentTheme()));
    this.right.opacity = this.opacity;
    this.map.addLayer(this.right, ANCHOR.id);
    this.right.outline(board.labels);
    this.right.paint(cellColours(colouring, board), coloursOf(currentTheme()));
    this.swipe(this.border);
  }

  /** Put the border between two boards at a share of the map's width. */
  swipe(share: number): void {
    this.border = share;
    if (!this.right) return;
    this.cells?.show([0, share]);
    this.right.show([share, 1]);
  }

  /** Mark cells, one byte a row (`Mark`); carve-outs are hatched where there is no other mark. */
  async mark(marks: Uint8Array | null): Promise<void> {
    await this.ready;
    const { board } = this;
    if (!board) return;
    const { labels } = board;
    const carved = Uint8Array.from(board.grids, (grid) => (grid.carve_out ? Mark.hatched : Mark.none));
    const all = new Uint8Array(labels.length);
    for (let row = 0; row < all.length; row++) all[row] = marks?.[row] || (carved[labels[row] ?? -1] ?? 0);
    this.cells?.mark(all);
  }

  /** Outline a grid (its place in the board's list) and a cell (its row); -1 for none. */
  async select(grid: number, row: number): Promise<void> {
    await this.ready;
    if (this.board) this.cells?.pick(this.board.labels, grid, row);
  }

  /** Follow the change between day and night. */
  async retheme(): Promise<void> {
    await this.ready;
    this.dress();
  }

  async pinAt(point: [number, number] | null): Promise<void> {
    await this.ready;
    this.pin.remove();
    if (point) this.pin.setLngLat(point).addTo(this.map);
  }

  use(tool: Tool | null): void {
    this.tool?.stop?.(this.map);
    this.tool = tool;
    this.map.getCanvas().style.cursor = tool?.cursor ?? '';
    tool?.start?.(this.map);
  }

  /** Zoom to a grid, beside whatever covers the right of the map (its width in pixels). */
  zoomToGrid(grid: number, covered = 0): void {
    this.zoomToGrids([grid], covered);
  }

  zoomToGrids(grids: readonly number[], covered = 0): void {
    const { board } = this;
    if (!board) return;
    const wanted = new Set(grids);
    const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
    board.labels.forEach((label, row) => {
      if (!wanted.has(label)) return;
      const [west, south, east, north] = board.ground.finder.boxOf(row);
      box[0] = Math.min(box[0], west);
      box[1] = Math.min(box[1], south);
      box[2] = Math.max(box[2], east);
      box[3] = Math.max(box[3], north);
    });
    if (box[0] <= box[2]) this.frame(box, true, covered);
  }

  zoomToBox(box: Box, covered = 0): void {
    this.frame(box, true, covered);
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
    if (this.board) this.frame(this.board.ground.box, true);
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

  /** (Re)make pictures and layers in the theme's colours; data stays in the sources. */
  private dress(): void {
    const theme = currentTheme();
    if (this.map.hasImage('hatch')) this.map.removeImage('hatch');
    this.map.addImage('hatch', hatchImage(theme.text), { pixelRatio: IMAGE_RATIO });
    for (const layer of [...under(theme), ...over(theme)]) {
      if (this.map.getLayer(layer.id)) this.map.removeLayer(layer.id);
    }
    if (!this.map.getLayer(ANCHOR.id)) this.map.addLayer(ANCHOR);
    const [first] = this.map.getLayersOrder();
    for (const layer of under(theme)) this.map.addLayer(layer, first);
    for (const layer of over(theme)) this.map.addLayer(layer);
  }

  private drawLabels(): void {
    const { board, colouring } = this;
    if (board && colouring) this.fill('labels', this.names.featuresOf(board, colouring));
  }

  private listen(): void {
    const { map } = this;
    map.on('mousedown', (event) => {
      if (this.tool?.down?.(this.placeOf(event), event)) event.preventDefault();
    });
    map.on('mousemove', (event) => {
      const place = this.placeOf(event);
      this.tool?.move?.(place, event);
      this.events.hover(place, event.point);
      if (!this.tool) map.getCanvas().style.cursor = place.row < 0 ? '' : 'pointer';
    });
    map.on('mouseup', (event) => this.tool?.up?.(this.placeOf(event), event));
    map.on('mouseout', () => this.events.hover(null, null));
    map.on('click', (event) => {
      if (!this.tool) this.events.pick(this.placeOf(event));
    });
    pickByKeys(map, {
      press: (down, up) => {
        const { tool } = this;
        if (!tool) this.events.pick(this.placeOf(down));
        tool?.down?.(this.placeOf(down), down);
        tool?.up?.(this.placeOf(up), up);
      },
      look: (at) => this.events.hover(at && this.placeOf(at), at && at.point),
    });
  }

  private placeOf({ lngLat: { lng: lon, lat } }: MapMouseEvent): Place {
    return { lon, lat, row: this.board?.ground.finder.at(lon, lat) ?? -1 };
  }
}
