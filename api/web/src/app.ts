/** The page as a whole: what is loaded, what is picked, and which part is told when that changes. */
import {
  ApiError,
  type OwnerAnswer,
  type OwnerQuestion,
  type Territory,
  type TerritoryDetail,
} from './api.ts';
import { describeError } from './answer.ts';
import { renderCard, type Picked } from './card.ts';
import { makeColouring, type Mode } from './colouring.ts';
import { renderControls, renderLegend, renderZoom, type ControlActions } from './controls.ts';
import { toWgs84 } from './crs.ts';
import { byId, fill, h } from './dom.ts';
import { renderFigures } from './figures.ts';
import { Format } from './format.ts';
import { labelPoint } from './geo.ts';
import { renderHeader } from './header.ts';
import { storeLanguage, type I18n, type Language } from './i18n.ts';
import { GridMap, type Pick } from './map.ts';
import { emptyNotice, loadingNotice } from './notice.ts';
import { OwnerBox } from './owner.ts';
import { GridTable } from './table.ts';
import { currentTheme, onThemeChange } from './theme.ts';
import { currentPublication, makeView, type Cells, type Context, type View } from './view.ts';

export class App {
  private readonly context: Context;
  private readonly map: GridMap | null;
  private readonly owner: OwnerBox;
  private readonly table: GridTable;
  private territories: readonly Territory[] = [];
  private territory: TerritoryDetail | null = null;
  private view: View | null = null;
  private cells: Cells = [];
  private cellState: 'loading' | 'shown' | 'failed' = 'loading';
  private mode: Mode = 'grid';
  private measure = '';
  private picked: Picked | null = null;
  /** Counts loads and picks, so that answers which come too late are dropped. */
  private load = 0;
  private pickTurn = 0;
  private notice: (() => HTMLElement) | null = null;

  constructor(context: Context) {
    this.context = context;
    this.map = this.makeMap();
    this.owner = new OwnerBox(byId('owner'), context, (answer, question) => this.onAnswer(answer, question));
    this.table = new GridTable(byId('grids'), context, (code) => this.pickFromTable(code));
    onThemeChange(() => void this.map?.retheme().then(() => this.paint()));
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.picked) this.pick(null);
    });
  }

  async start(wished: string | null): Promise<void> {
    this.render();
    await this.guard(async () => {
      this.territories = (await this.context.api.territories()).items;
      const first = this.territories.find(({ id }) => id === wished) ?? this.territories[0];
      if (first) await this.open(first.id);
      else this.tell(() => emptyNotice(this.context.i18n, null));
    });
  }

  private async open(id: string): Promise<void> {
    const { api, i18n } = this.context;
    const turn = ++this.load;
    this.tell(() => loadingNotice(i18n.t('state.loading')));
    const [territory, publications] = await Promise.all([api.territory(id), api.publications(id)]);
    const publication = currentPublication(publications.items, new Date());
    const grids = publication ? await api.grids(id, publication.n) : null;
    if (turn !== this.load) return;
    this.forget();
    this.territory = territory;
    // The panel takes its room first, so that the territory is fitted into what is left.
    byId('page').classList.toggle('bare', !publication);
    void this.map?.showTerritory(territory.boundary);
    if (publication && grids) this.show(makeView(territory, publication, grids));
    else this.tell(() => emptyNotice(this.context.i18n, territory.name));
    this.render();
    if (this.view) await this.openCells(this.view, turn);
  }

  private show(view: View): void {
    this.view = view;
    if (!view.measures.includes(this.measure)) this.measure = view.measures[0] ?? '';
    void this.map?.showGrids(view);
    this.tell(null);
  }

  /** Cells are many and come last; the page is in use before they are there. */
  private async openCells(view: View, turn: number): Promise<void> {
    try {
      const { features } = await this.context.api.cells(view.territory.id, view.publication.n);
      if (turn !== this.load) return;
      this.cells = features;
      this.cellState = 'shown';
      await this.map?.showCells(features);
    } catch (error) {
      if (turn !== this.load) return;
      if (!(error instanceof ApiError)) throw error;
      this.cellState = 'failed';
    }
    this.paint();
  }

  private forget(): void {
    this.view = null;
    this.cells = [];
    this.cellState = 'loading';
    this.owner.forget();
    this.pick(null);
    void this.map?.clear();
  }

  /** Run a load; what goes wrong is told on the page, with a way to try again. */
  private async guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const retry = (): void => void this.start(this.territory?.id ?? null);
      this.tell(() => h('div', { class: 'state' }, describeError(error, this.context, retry)));
      if (!(error instanceof ApiError)) throw error;
    }
  }

  private render(): void {
    const { i18n, format } = this.context;
    document.documentElement.lang = i18n.locale;
    document.title = this.territory ? `${this.territory.name} · gridsvc` : 'gridsvc';
    i18n.apply(document);
    this.map?.label(i18n.t('map.label'));
    renderHeader(
      byId('header'),
      { ...this.context, format },
      this.territories,
      this.territory,
      this.view?.publication ?? null,
      { chooseTerritory: (id) => void this.chooseTerritory(id), switchLanguage: () => this.switchLanguage() },
    );
    renderZoom(byId('zoom'), this.context, this.controls);
    if (this.view) {
      this.owner.render(this.view.territory.id, exampleOf(this.view));
      renderFigures(byId('figures'), this.context, this.view);
      this.table.render(this.view);
    }
    this.renderNotice();
    this.renderPicked();
    this.paint();
  }

  private readonly controls: ControlActions = {
    colourBy: (mode, measure) => {
      this.mode = mode;
      this.measure = measure;
      this.paint();
    },
    zoomBy: (levels) => this.map?.zoomBy(levels),
    fit: () => this.map?.fit(),
  };

  private paint(): void {
    if (!this.view) return;
    const { scheme } = currentTheme();
    const colouring = makeColouring(this.mode, this.measure, this.view, this.cells, scheme, this.context);
    renderControls(byId('controls'), this.context, this.view, this.mode, this.measure, this.controls);
    renderLegend(byId('legend'), colouring);
    this.renderNotice();
    void this.map?.paint(colouring);
  }

  private chooseTerritory(id: string): Promise<void> {
    const url = new URL(location.href);
    url.searchParams.set('territory', id);
    history.replaceState(null, '', url);
    return this.guard(() => this.open(id));
  }

  private switchLanguage(): void {
    const { i18n } = this.context;
    const language: Language = i18n.language === 'zh' ? 'en' : 'zh';
    i18n.language = language;
    storeLanguage(language);
    this.context.format = new Format(i18n.locale);
    this.pick(null);
    this.render();
  }

  private pick(picked: Picked | null): void {
    this.pickTurn++;
    this.picked = picked;
    this.renderPicked();
    if (!picked) void this.map?.markAt(null);
  }

  private renderPicked(): void {
    const { picked, view } = this;
    const grid = picked?.grid?.code ?? null;
    const told = picked?.told;
    const cell = told && typeof told === 'object' && 'cell' in told ? told.cell : null;
    this.table.select(grid);
    void this.map?.select(grid, cell);
    if (view) renderCard(byId('card'), this.context, view, this.cells, picked, () => this.pick(null));
    else byId('card').hidden = true;
  }

  private gridOf(code: string | null | undefined): Picked['grid'] {
    return code == null ? null : (this.view?.byCode.get(code)?.properties ?? null);
  }

  private async pickFromMap({ lon, lat, grid }: Pick): Promise<void> {
    if (!this.view) return;
    this.pick({ grid: this.gridOf(grid), told: 'asking' });
    void this.map?.markAt([lon, lat]);
    const turn = this.pickTurn;
    const question: OwnerQuestion = { kind: 'point', lat: degrees(lat), lon: degrees(lon), crs: 'wgs84' };
    const told = await this.context.api
      .owner(this.view.territory.id, question)
      .catch((error: Error) => error);
    if (turn !== this.pickTurn) return;
    // Near a drawn border the service, not the picture, says whose the point is.
    const code = told instanceof Error ? grid : (told.grid?.code ?? null);
    this.picked = { grid: this.gridOf(code), told };
    this.renderPicked();
    this.map?.uncover([lon, lat], this.cardCover());
  }

  /** The part of the map the card hides: from its left and top edge on; no width where it hides nearly all. */
  private cardCover(): { left: number; top: number; width: number } {
    const { offsetLeft: left, offsetTop: top, offsetWidth } = byId('card');
    return { left, top, width: left > 200 ? offsetWidth : 0 };
  }

  private pickFromTable(code: string): void {
    const feature = this.view?.byCode.get(code);
    if (!feature) return;
    this.pick({ grid: feature.properties, told: null });
    void this.map?.markAt(null);
    // On a narrow screen the map may have been scrolled out of sight.
    byId('stage').scrollIntoView({ block: 'nearest' });
    const { width } = this.cardCover();
    this.map?.zoomTo(feature.geometry, width);
  }

  private onAnswer(answer: OwnerAnswer | null, question: OwnerQuestion): void {
    const point = this.placeOf(answer, question);
    this.pick(null);
    if (answer) {
      this.picked = { grid: this.gridOf(answer.grid?.code), told: answer, said: true };
      this.renderPicked();
    }
    void this.map?.markAt(point);
    if (point) this.map?.goTo(point);
  }

  /** Where to put the mark: the point asked for, or the middle of the answer's cell. */
  private placeOf(answer: OwnerAnswer | null, question: OwnerQuestion): [number, number] | null {
    if (question.kind === 'point') {
      const { lon, lat, crs } = question;
      const onEarth = Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
      return onEarth ? toWgs84(lon, lat, crs) : null;
    }
    const cell = this.cells.find(({ properties }) => properties.cell === answer?.cell);
    return cell ? labelPoint(cell.geometry) : null;
  }

  private tell(notice: (() => HTMLElement) | null): void {
    this.notice = notice;
    this.renderNotice();
  }

  private renderNotice(): void {
    const root = byId('notice');
    const notice = this.notice?.() ?? this.cellNotice();
    root.hidden = notice === null;
    fill(root, notice);
  }

  /** Cells are worth a word only while the colouring waits for them. */
  private cellNotice(): HTMLElement | null {
    if (this.mode !== 'cell' || this.cellState === 'shown' || !this.view) return null;
    const { i18n } = this.context;
    if (this.cellState === 'loading') return loadingNotice(i18n.t('state.loadingCells'));
    return h('p', { class: 'chip', role: 'alert' }, i18n.t('state.error.cells'));
  }

  private makeMap(): GridMap | null {
    try {
      return new GridMap(byId('map'), (pick) => void this.pickFromMap(pick));
    } catch {
      // Without WebGL the rest of the page still answers.
      byId('map').append(h('p', { class: 'chip', 'data-i18n': 'map.failed' }));
      return null;
    }
  }
}

/** Degrees to about a decimetre, which is more than a click can mean. */
function degrees(value: number): number {
  return Number(value.toFixed(6));
}

function exampleOf(view: View): string {
  const first = view.grids.features[0];
  const [lon, lat] = first ? labelPoint(first.geometry) : [0, 0];
  return `${lat.toFixed(3)}, ${lon.toFixed(3)}`;
}

export function makeContext(api: Context['api'], i18n: I18n): Context {
  return { api, i18n, format: new Format(i18n.locale) };
}
