/** What may lie over the cells: team bases, carve-outs, locks and customers; each is switched by itself. */
import type { GeoJSONSource, LayerSpecification, Map as MapLibre, SourceSpecification } from 'maplibre-gl';
import type { Feature, FeatureCollection } from 'geojson';
import type { Board } from './board.ts';
import { h } from './dom.ts';
import { Ground } from './ground/ground.ts';
import { NAME } from './ground/own.ts';
import { IMAGE_RATIO, labelImage } from './labels.ts';
import { MOST_CUSTOMERS, seenGrids } from './seen.ts';
import { currentTheme } from './theme.ts';
import type { Workspace } from './workspace.ts';

export const LAYERS = ['teams', 'carveOuts', 'locks', 'customers'] as const;
export type LayerName = (typeof LAYERS)[number];

const NOTHING: FeatureCollection = { type: 'FeatureCollection', features: [] };
const COUNT = 'count ';
const TEAM = 'team ';

interface Base {
  id: string;
  name: string;
  lon?: number | null;
  lat?: number | null;
}

interface Customer {
  id: string;
  lon: number | null;
  lat: number | null;
}

export class Layers {
  private readonly on = new Set<LayerName>();
  private readonly note = h('p', { class: 'muted small', role: 'status' });
  /** Customers of a grid of the publication at hand, read once. */
  private customers = new Map<string, Feature[]>();
  private about = '';
  private turn = 0;
  private readonly ground: Ground;
  private readonly credit = h('p', { class: 'credit small' });

  constructor(
    private readonly root: HTMLElement,
    private readonly workspace: Workspace,
    private readonly map: MapLibre,
  ) {
    workspace.on('board', () => void this.refresh());
    map.on('moveend', () => {
      if (this.on.has('customers')) void this.showCustomers();
    });
    map.setMissingStyleImageResolver((id) => this.draw(id));
    this.ground = new Ground(workspace, map, () => this.render());
    root.after(this.credit);
  }

  /** Ask for what the operator wants drawn round the cells. */
  start(): Promise<void> {
    return this.ground.start();
  }

  /** The switches, in the language of the page. */
  render(): void {
    const { i18n } = this.workspace.context;
    const open = this.root.querySelector('details')?.open ?? false;
    const boxes = LAYERS.map((name) => {
      const input = h('input', {
        type: 'checkbox',
        checked: this.on.has(name),
        onchange: () => {
          if (input.checked) this.on.add(name);
          else this.on.delete(name);
          void this.refresh();
        },
      });
      return h('label', {}, input, ` ${i18n.t(`layers.${name}`)}`);
    });
    this.root.replaceChildren(
      h(
        'details',
        { open },
        h('summary', {}, i18n.t('layers.title')),
        ...boxes,
        ...this.ground.switches(),
        this.note,
      ),
    );
    this.credit.textContent = this.ground.credit;
    this.credit.hidden = this.ground.credit === '';
  }

  private async refresh(): Promise<void> {
    const { board, stage } = this.workspace;
    await stage?.whenReady();
    this.note.textContent = '';
    const turn = ++this.turn;
    const about = `${board?.subject.plan.id} ${board?.subject.publication?.n}`;
    if (about !== this.about) this.customers = new Map();
    this.about = about;
    this.put('locks', board && this.on.has('locks') ? locksOf(board) : []);
    const [teams, carved] = await Promise.all([this.teams(board), this.carved(board)]);
    if (turn !== this.turn) return;
    this.put('teams', teams);
    this.put('carveOuts', carved);
    await this.showCustomers();
  }

  private async teams(board: Board | null): Promise<Feature[]> {
    if (!board || !this.on.has('teams')) return [];
    const roster = await this.workspace.context.api.roster(board.territory.id);
    const bases: readonly Base[] = roster?.teams ?? [];
    return bases.flatMap(({ name, lon, lat }): Feature[] =>
      lon == null || lat == null ? [] : [point(lon, lat, { image: TEAM + name })],
    );
  }

  private async carved(board: Board | null): Promise<Feature[]> {
    if (!board || !this.on.has('carveOuts')) return [];
    const path = `/v1/plans/${board.subject.plan.id}/carve-outs`;
    return (await this.workspace.context.api.get<FeatureCollection>(path)).features;
  }

  /** Customers of the grids in sight, where these are few enough to be read. */
  private async showCustomers(): Promise<void> {
    const { board, context } = this.workspace;
    const wanted = board !== null && this.on.has('customers');
    if (!wanted || !board.subject.publication) {
      this.put('customers', []);
      if (wanted) this.note.textContent = context.i18n.t('layers.unpublished');
      return;
    }
    const turn = this.turn;
    const bounds = this.map.getBounds();
    const box = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()] as const;
    const grids = seenGrids(board, box);
    this.note.textContent = grids === null ? context.i18n.t('layers.zoomIn', { n: MOST_CUSTOMERS }) : '';
    const found = await Promise.all((grids ?? []).map((code) => this.customersOf(board, code)));
    if (turn === this.turn) this.put('customers', found.flat());
  }

  private async customersOf(board: Board, code: string): Promise<Feature[]> {
    const kept = this.customers.get(code);
    if (kept) return kept;
    const found: Feature[] = [];
    const path = `/v1/grids/${encodeURIComponent(code)}/customers`;
    for (let after: string | null = null; ;) {
      const page: { items: Customer[]; next: string | null } = await this.workspace.context.api.get(path, {
        territory: board.territory.id,
        after,
        limit: 1000,
      });
      for (const { id, lon, lat } of page.items) {
        if (lon !== null && lat !== null) found.push(point(lon, lat, { id }));
      }
      if (page.next === null) break;
      after = page.next;
    }
    this.customers.set(code, found);
    return found;
  }

  private put(name: LayerName, features: Feature[]): void {
    const { map } = this;
    const id = `over-${name}`;
    if (!map.getSource(id)) {
      if (features.length === 0) return;
      map.addSource(id, sourceOf(name));
      for (const layer of layersOf(name, id))
        map.addLayer(layer, map.getLayer('labels') ? 'labels' : undefined);
    }
    void map.getSource<GeoJSONSource>(id)?.setData({ type: 'FeatureCollection', features });
  }

  /** Words on the map are pictures drawn here, so that no font comes from anywhere. */
  private draw(id: string): void {
    const { text, halo } = currentTheme();
    const words = [COUNT, TEAM, NAME.below, NAME.here].find((start) => id.startsWith(start));
    if (words === undefined) return;
    const line = { text: id.slice(words.length), size: 11.5, weight: words === NAME.here ? 500 : 600 };
    const below = words === TEAM || words === NAME.below;
    // A name stands below the point it belongs to.
    const lines = below
      ? [{ text: ' ', size: 14, weight: 400 }, line, { text: ' ', size: 14 + 11.5, weight: 400 }]
      : [line];
    const image = words === COUNT ? labelImage(lines, '#ffffff', '#1c2733') : labelImage(lines, text, halo);
    this.map.addImage(id, image, { pixelRatio: IMAGE_RATIO });
  }
}

function point(lon: number, lat: number, properties: Record<string, string>): Feature {
  return { type: 'Feature', properties, geometry: { type: 'Point', coordinates: [lon, lat] } };
}

function locksOf({ locked, ground }: Board): Feature[] {
  return [...locked].map((row) => point(...ground.finder.middle(row), {}));
}

function sourceOf(name: LayerName): SourceSpecification {
  const plain = { type: 'geojson', data: NOTHING } as const;
  return name === 'customers' ? { ...plain, cluster: true, clusterRadius: 45, clusterMaxZoom: 15 } : plain;
}

function dot(id: string, colour: string, radius: number): LayerSpecification {
  const paint = {
    'circle-color': colour,
    'circle-radius': radius,
    'circle-stroke-color': '#ffffff',
    'circle-stroke-width': 1.5,
  };
  return { id, source: id, type: 'circle', paint };
}

function layersOf(name: LayerName, id: string): LayerSpecification[] {
  if (name === 'locks') return [dot(id, '#7a2e8e', 3.5)];
  if (name === 'teams') {
    const image = { 'icon-image': ['get', 'image'] as ['get', string], 'icon-allow-overlap': true };
    return [dot(id, '#0b3d91', 6), { id: `${id}-name`, source: id, type: 'symbol', layout: image }];
  }
  if (name === 'carveOuts') {
    return [
      { id, source: id, type: 'fill', paint: { 'fill-color': '#a8490a', 'fill-opacity': 0.25 } },
      {
        id: `${id}-line`,
        source: id,
        type: 'line',
        paint: { 'line-color': '#a8490a', 'line-width': 2, 'line-dasharray': [3, 2] },
      },
    ];
  }
  return [
    {
      id,
      source: id,
      type: 'circle',
      paint: {
        'circle-color': '#1c2733',
        'circle-radius': [
          'case',
          ['has', 'point_count'],
          ['step', ['get', 'point_count'], 11, 50, 14, 500, 18],
          3.5,
        ],
        'circle-stroke-color': '#ffffff',
        'circle-stroke-width': 1.5,
      },
    },
    {
      id: `${id}-count`,
      source: id,
      type: 'symbol',
      filter: ['has', 'point_count'],
      layout: {
        'icon-image': ['concat', COUNT, ['get', 'point_count_abbreviated']],
        'icon-allow-overlap': true,
      },
    },
  ];
}
