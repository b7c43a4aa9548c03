/** The frame of the page: header, the rail of rooms, the map and the panel of the room which is open. */
import { ApiError } from './api.ts';
import { describeError } from './answer.ts';
import { renderControls, renderLegend, renderZoom, type ControlActions } from './controls.ts';
import { Connection } from './connection.ts';
import type { Context } from './context.ts';
import { byId, drawing, fill, h } from './dom.ts';
import { Format } from './format.ts';
import { renderHeader } from './header.ts';
import { storeLanguage, type I18n, type Key, type Language } from './i18n.ts';
import { goToFound } from './finding.ts';
import { isUnknown, signInNotice } from './identity.ts';
import { HoverCard } from './hover.ts';
import { SearchBox } from './searchbox.ts';
import { emptyNotice, loadingNotice } from './notice.ts';
import { Layers } from './layers.ts';
import { printMap } from './print.ts';
import './print.css';
import { DOORS } from './rooms/doors.ts';
import { Stage } from './stage.ts';
import { onThemeChange } from './theme.ts';
import { Workspace, type Door, type Room } from './workspace.ts';

export class App {
  private readonly workspace: Workspace;
  private door: Door | null = null;
  private room: Room | null = null;
  private notice: (() => HTMLElement) | null = null;
  private turn = 0;
  private readonly hover: HoverCard;
  private readonly searchBox: SearchBox;
  private readonly layers: Layers | null;
  private readonly connection: Connection;

  constructor(private readonly context: Context) {
    this.workspace = new Workspace(context);
    this.connection = new Connection(byId('connection'), context);
    this.hover = new HoverCard(byId('hover'), context);
    this.searchBox = new SearchBox(
      context,
      () => this.workspace.board,
      (found) => goToFound(found, this.workspace, this.room),
    );
    this.workspace.stage = this.makeStage();
    const { stage } = this.workspace;
    this.layers = stage && new Layers(byId('layers'), this.workspace, stage.map);
    this.workspace.on('territory', () => this.render());
    this.workspace.on('board', (board) => {
      byId('page').classList.toggle('bare', board === null);
      this.tell(board ? null : () => emptyNotice(context.i18n, this.workspace.territory?.name ?? null));
      this.renderFrame();
    });
    this.workspace.on('colouring', () => this.renderControls());
    onThemeChange(() => void this.workspace.stage?.retheme().then(() => this.workspace.paint()));
    addEventListener('hashchange', () => void this.enter());
  }

  async start(wished: string | null): Promise<void> {
    this.render();
    void this.layers?.start();
    await this.guard(async () => {
      const { i18n } = this.context;
      this.tell(() => loadingNotice(i18n.t('state.loading')));
      this.workspace.me = await this.context.api.me();
      this.renderFrame();
      const territories = await this.workspace.loadTerritories();
      const first = territories.find(({ id }) => id === wished) ?? territories[0];
      // The panel takes its room first, so that the territory is fitted into what is left.
      byId('page').classList.toggle('bare', !first);
      await this.enter();
      if (first) await this.workspace.open(first.id, new URLSearchParams(location.search).get('plan'));
      else this.tell(() => emptyNotice(i18n, null));
    });
  }

  /** Open the room the address names. */
  private async enter(): Promise<void> {
    const wished = location.hash.replace(/^#\/?/, '').split('?')[0];
    const door = DOORS.find(({ id }) => id === wished) ?? DOORS[0];
    if (!door || door === this.door) return;
    const turn = ++this.turn;
    const room = await door.open(this.workspace);
    if (turn !== this.turn) {
      room.stop();
      return;
    }
    this.room?.stop();
    this.hover.hide();
    this.workspace.stage?.use(null);
    this.door = door;
    this.room = room;
    fill(byId('panel'));
    room.render(byId('panel'));
    this.renderRail();
  }

  /** Run a load; what goes wrong is told on the page, with a way to try again. */
  private async guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const retry = (): void => void this.start(this.workspace.territory?.id ?? null);
      if (isUnknown(error)) this.tell(() => signInNotice(this.context, retry));
      else this.tell(() => h('div', { class: 'state' }, describeError(error, this.context, retry)));
      if (!(error instanceof ApiError)) throw error;
    }
  }

  private render(): void {
    this.renderFrame();
    this.room?.render(byId('panel'));
    this.workspace.paint();
  }

  private renderFrame(): void {
    const { i18n } = this.context;
    const { territory, territories, board, stage } = this.workspace;
    document.documentElement.lang = i18n.locale;
    document.title = territory ? `${territory.name} · gridsvc` : 'gridsvc';
    i18n.apply(document);
    stage?.label(i18n.t('map.keys'));
    this.searchBox.label();
    this.connection.render();
    renderHeader(
      byId('header'),
      this.context,
      territories,
      territory,
      board,
      this.workspace.me,
      {
        chooseTerritory: (id) => void this.chooseTerritory(id),
        switchLanguage: () => this.switchLanguage(),
        signOut: () => void this.signOut(),
      },
      this.searchBox.root,
    );
    renderZoom(byId('zoom'), this.context, this.controls);
    this.layers?.render();
    this.renderRail();
    this.renderControls();
    this.renderNotice();
  }

  private renderRail(): void {
    const { i18n } = this.context;
    const links = DOORS.map(({ id, icon }) =>
      h(
        'a',
        { href: `#/${id}`, 'aria-current': id === this.door?.id ? 'page' : null },
        drawing(icon),
        h('span', {}, i18n.t(`room.${id}` as Key)),
      ),
    );
    fill(byId('rail'), ...links);
  }

  private renderControls(): void {
    const { board, mode, measure, colouring } = this.workspace;
    byId('controls').hidden = board === null;
    byId('legend').hidden = board === null;
    byId('layers').hidden = board === null;
    if (!board || !colouring) return;
    renderControls(byId('controls'), this.context, board, mode, measure, this.controls);
    renderLegend(byId('legend'), colouring);
  }

  private readonly controls: ControlActions = {
    colourBy: (mode, measure) => this.workspace.colourBy(mode, measure),
    zoomBy: (levels) => this.workspace.stage?.zoomBy(levels),
    fit: () => this.workspace.stage?.fit(),
    print: () => void printMap(this.workspace),
  };

  private chooseTerritory(id: string): Promise<void> {
    const url = new URL(location.href);
    url.searchParams.set('territory', id);
    url.searchParams.delete('plan');
    history.replaceState(null, '', url);
    return this.guard(() => this.workspace.open(id));
  }

  private switchLanguage(): void {
    const { i18n } = this.context;
    const language: Language = i18n.language === 'zh' ? 'en' : 'zh';
    i18n.language = language;
    storeLanguage(language);
    this.context.format = new Format(i18n.locale);
    this.render();
  }

  /** Forget the key; the page begins anew, so that nothing stays of what was on it. */
  private async signOut(): Promise<void> {
    await this.context.api.signOut();
    location.reload();
  }

  private tell(notice: (() => HTMLElement) | null): void {
    this.notice = notice;
    this.renderNotice();
  }

  private renderNotice(): void {
    const root = byId('notice');
    const notice = this.notice?.() ?? null;
    root.hidden = notice === null;
    fill(root, notice);
  }

  private makeStage(): Stage | null {
    try {
      return new Stage(byId('map'), {
        pick: (place) => void this.room?.pick?.(place),
        hover: (place, at) => this.hover.show(this.workspace.board, place, at),
      });
    } catch {
      // Without WebGL the rest of the page still answers.
      byId('map').append(h('p', { class: 'chip', 'data-i18n': 'map.failed' }));
      return null;
    }
  }
}

export function makeContext(api: Context['api'], i18n: I18n): Context {
  return { api, i18n, format: new Format(i18n.locale) };
}
