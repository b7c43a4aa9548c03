/** What lies round the cells: the base map and the company's own layers, each switched by itself. */
import type { Map as MapLibre } from 'maplibre-gl';
import type { FeatureCollection } from 'geojson';
import { ApiError } from '../api.ts';
import { h } from '../dom.ts';
import type { Workspace } from '../workspace.ts';
import { addBase, isBase, type BaseMap } from './base.ts';
import { layersOf, withNames } from './own.ts';

interface Offer {
  base: BaseMap | null;
  layers: { name: string; bytes: number }[];
}

const BASE = ' base';
const STORE = 'gridsvc.layers.off';
const OWN = 'own ';
/** How much of the base map shows through the cells. */
const SEEN_THROUGH = 0.6;

export class Ground {
  private offer: Offer = { base: null, layers: [] };
  private readonly off = new Set(stored());
  /** Ids of the map's layers which show each of these. */
  private readonly shown = new Map<string, string[]>();
  /** Whether the host of the base map does not answer. */
  private away = false;

  constructor(
    private readonly workspace: Workspace,
    private readonly map: MapLibre,
    /** Draw the switches anew. */
    private readonly changed: () => void,
  ) {
    map.on('error', (event) => {
      const { error } = event;
      const sourceId = 'sourceId' in event ? String(event.sourceId) : '';
      // Whoever stands in for MapLibre's own answer to errors must not keep the others to himself.
      if (!isBase(sourceId)) console.error(error);
      else if (!this.away) this.lose();
    });
  }

  /** Whose base map is shown, or that it cannot be reached. */
  get credit(): string {
    if (!this.offer.base || this.off.has(BASE)) return '';
    return this.away ? this.workspace.context.i18n.t('layers.baseAway') : this.offer.base.credit;
  }

  private lose(): void {
    this.away = true;
    this.changed();
  }

  /** Ask what there is, and show what is not switched off. */
  async start(): Promise<void> {
    try {
      this.offer = await this.workspace.context.api.get<Offer>('/v1/map');
    } catch (error) {
      // The cells are the map; what lies round them may be missing.
      if (error instanceof ApiError) return;
      throw error;
    }
    this.changed();
    await this.workspace.stage?.whenReady();
    await Promise.all(this.names().map((name) => this.turn(name)));
  }

  switches(): HTMLElement[] {
    const { i18n } = this.workspace.context;
    return this.names().map((name) => {
      const input = h('input', {
        type: 'checkbox',
        checked: !this.off.has(name),
        onchange: () => {
          if (input.checked) this.off.delete(name);
          else this.off.add(name);
          store([...this.off]);
          void this.turn(name);
        },
      });
      const words = name === BASE ? i18n.t('layers.base') : (i18n.has(`layers.own.${name}`) ?? name);
      return h('label', {}, input, ` ${words}`);
    });
  }

  private names(): string[] {
    return [...(this.offer.base ? [BASE] : []), ...this.offer.layers.map(({ name }) => name)];
  }

  private async turn(name: string): Promise<void> {
    const on = !this.off.has(name);
    if (on && !this.shown.has(name)) {
      this.shown.set(name, []);
      this.shown.set(name, name === BASE ? await this.addBase() : await this.addOwn(name));
    }
    for (const id of this.shown.get(name) ?? []) {
      this.map.setLayoutProperty(id, 'visibility', this.off.has(name) ? 'none' : 'visible');
    }
    if (name === BASE) this.workspace.stage?.seeThrough(on ? SEEN_THROUGH : 1);
    this.changed();
  }

  private async addBase(): Promise<string[]> {
    const { base } = this.offer;
    const under = this.workspace.stage?.overGround ?? '';
    try {
      return base ? await addBase(this.map, base, under) : [];
    } catch {
      this.lose();
      return [];
    }
  }

  private async addOwn(name: string): Promise<string[]> {
    const path = `/v1/map/layers/${encodeURIComponent(name)}`;
    const data = withNames(await this.workspace.context.api.get<FeatureCollection>(path));
    const id = OWN + name;
    this.map.addSource(id, { type: 'geojson', data });
    const layers = layersOf(name, id);
    for (const layer of layers) this.map.addLayer(layer, 'territory');
    return layers.map((layer) => layer.id);
  }
}

function stored(): string[] {
  try {
    return JSON.parse(localStorage.getItem(STORE) ?? '[]') as string[];
  } catch {
    return [];
  }
}

function store(off: string[]): void {
  try {
    localStorage.setItem(STORE, JSON.stringify(off));
  } catch {
    // Storage may be switched off; the choice then lasts as long as the page.
  }
}
