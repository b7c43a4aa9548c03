/** What all rooms of the page share: the territory, what is on the map, and who is told when that changes. */
import type {
  OwnerAnswer,
  OwnerQuestion,
  PlanDetail,
  Publication,
  Territory,
  TerritoryDetail,
} from './api.ts';
import { Boards, currentPublication, type Board } from './board.ts';
import { makeColouring, type Colouring, type Mode } from './colouring.ts';
import type { Context } from './context.ts';
import type { Me } from './identity.ts';
import type { Place, Stage } from './stage.ts';
import { currentTheme } from './theme.ts';

/** What rooms may be told of. */
export interface Changes {
  /** Another territory, or none. */
  territory: TerritoryDetail | null;
  /** Another plan or publication, or the same one after a change. */
  board: Board | null;
  /** Colours or the measure behind them. */
  colouring: Colouring;
  /** Publications or plans came or changed. */
  lists: null;
}

type Listener<K extends keyof Changes> = (value: Changes[K]) => void;

export class Workspace {
  readonly boards: Boards;
  stage: Stage | null = null;
  /** Who is at work; null until the service has told. */
  me: Me | null = null;
  territories: readonly Territory[] = [];
  territory: TerritoryDetail | null = null;
  publications: readonly Publication[] = [];
  board: Board | null = null;
  colouring: Colouring | null = null;
  mode: Mode = 'grid';
  measure = '';
  private readonly listeners = new Map<keyof Changes, Set<(value: never) => void>>();
  /** Counts loads, so that answers which come too late are dropped. */
  private turn = 0;

  constructor(readonly context: Context) {
    this.boards = new Boards(context.api);
  }

  /** Listen; the function given back ends it. */
  on<K extends keyof Changes>(what: K, listener: Listener<K>): () => void {
    const all = this.listeners.get(what) ?? new Set();
    this.listeners.set(what, all.add(listener as (value: never) => void));
    return () => all.delete(listener as (value: never) => void);
  }

  private tell<K extends keyof Changes>(what: K, value: Changes[K]): void {
    for (const listener of this.listeners.get(what) ?? []) (listener as Listener<K>)(value);
  }

  /** Whether whoever is at work holds a scope; what they lack is not offered. */
  may(scope: string): boolean {
    return this.me?.scopes.includes(scope) ?? false;
  }

  async loadTerritories(): Promise<readonly Territory[]> {
    this.territories = (await this.context.api.territories()).items;
    return this.territories;
  }

  /** Open a territory with what is in force there, or with a plan of it. */
  async open(id: string, plan: string | null = null): Promise<void> {
    const { api } = this.context;
    const turn = ++this.turn;
    const [territory, publications] = await Promise.all([api.territory(id), api.publications(id)]);
    if (turn !== this.turn) return;
    this.territory = territory;
    this.publications = publications.items;
    this.board = null;
    await this.stage?.clear();
    this.tell('territory', territory);
    void this.stage?.showTerritory(territory.boundary);
    const publication = currentPublication(publications.items, new Date());
    if (plan !== null) await this.showPlan(plan);
    else if (publication) await this.showPublication(publication);
    else this.tell('board', null);
  }

  async showPublication(publication: Publication): Promise<Board | null> {
    const { territory } = this;
    return territory && this.load(() => this.boards.ofPublication(territory, publication));
  }

  async showPlan(plan: string): Promise<Board | null> {
    const { territory } = this;
    return territory && this.load(() => this.boards.ofPlan(territory, plan));
  }

  /** Read what is on the map again. */
  async reload(): Promise<Board | null> {
    const { board } = this;
    if (!board) return null;
    const { publication, plan } = board.subject;
    return publication ? this.showPublication(publication) : this.showPlan(plan.id);
  }

  async reloadPublications(): Promise<void> {
    if (!this.territory) return;
    this.publications = (await this.context.api.publications(this.territory.id)).items;
    this.tell('lists', null);
  }

  /** All plans of the territory, newest first. */
  async plans(): Promise<PlanDetail[]> {
    const found: PlanDetail[] = [];
    for (let after: string | null = null; ;) {
      const page: { items: PlanDetail[]; next: string | null } = await this.context.api.get('/v1/plans', {
        territory: this.territory?.id,
        after,
        limit: 1000,
      });
      found.push(...page.items);
      if (page.next === null) return found.sort((a, b) => b.recorded_at.localeCompare(a.recorded_at));
      after = page.next;
    }
  }

  private async load(read: () => Promise<Board>): Promise<Board | null> {
    const turn = ++this.turn;
    const board = await read();
    if (turn !== this.turn) return null;
    await this.put(board);
    return board;
  }

  /** Put a board on the map: another one, or the same after a change. */
  async put(board: Board): Promise<void> {
    this.board = board;
    const known = Object.keys(board.ground.columns.measures);
    if (!known.includes(this.measure)) this.measure = board.measures[0] ?? known[0] ?? '';
    await this.stage?.show(board);
    this.paint();
    this.tell('board', board);
    this.stage?.markNextFrame('board');
  }

  /** Show a board without making it the one at hand, as while something is being drawn; null ends that. */
  async preview(board: Board | null): Promise<void> {
    const shown = board ?? this.board;
    if (!shown) return;
    await this.stage?.show(shown);
    this.paint(shown);
  }

  colourBy(mode: Mode, measure: string): void {
    this.mode = mode;
    this.measure = measure;
    this.paint();
  }

  /** How a board which is not the one at hand would be coloured now. */
  colouringOf(board: Board): Colouring {
    return makeColouring(this.mode, this.measure, board, currentTheme().scheme, this.context);
  }

  /** Colour the map anew, as after a change of theme, language or figures. */
  paint(board: Board | null = this.board): void {
    if (!board) return;
    this.colouring = this.colouringOf(board);
    void this.stage?.paint(this.colouring);
    this.tell('colouring', this.colouring);
  }
}

/** A part of the page with a panel of its own; one is open at a time. */
export interface Room {
  /** Fill the panel; again when the language changes. */
  render(panel: HTMLElement): void;
  /** The room is left: give back tools, listeners and marks. */
  stop(): void;
  /** A place was picked on the map; true when the room has dealt with it. */
  pick?(place: Place): boolean;
  /** A grid was found by its code; true when the room shows it. */
  pickGrid?(code: string): boolean;
  /** The service answered whose something is, and where it lies. */
  answered?(answer: OwnerAnswer, question: OwnerQuestion): boolean;
}

/** Where rooms are entered: their names are those of the address (`#/redraw`). */
export interface Door {
  id: string;
  /** Path of a 24 x 24 drawing. */
  icon: string;
  /** Whether there must be something on the map for it. */
  needsBoard: boolean;
  open(workspace: Workspace): Promise<Room>;
}
