/** Redraw the borders of a draft: choose cells, see what it would do, save, take back. */
import { ApiError } from '../../api.ts';
import { describeError } from '../../answer.ts';
import { shownGrids, type Board } from '../../board.ts';
import { fill, h } from '../../dom.ts';
import { Mark } from '../../mesh/layer.ts';
import type { Place, Tool } from '../../stage.ts';
import { currentTheme } from '../../theme.ts';
import type { Room, Workspace } from '../../workspace.ts';
import { conflictsOf, Draft, type Conflict, type Hand, type Proposal } from './draft.ts';
import { dissolved, effectOf, half, rowsOf, type Effect } from './effect.ts';
import { effectTable } from './table.ts';
import { brushTool, clickTool, shapeTool, TOOLS, type Strokes, type ToolName } from './tools.ts';

/** Stands for a grid which is to be made, in the list of grids to give to. */
const NEW = -2;

export class RedrawRoom implements Room {
  private readonly draft: Draft;
  private readonly ends: (() => void)[];
  private panel: HTMLElement | null = null;
  private readonly effectRoot = h('div', { class: 'effect', 'aria-live': 'polite' });
  private readonly told = h('div', { role: 'status' });
  private readonly historyRoot = h('div', {});
  private tool: ToolName = 'brush';
  private size = 28;
  /** Place of the grid which cells are given to. */
  private to = NEW;
  /** Row -> place of the grid it is given to; strokes are kept to be taken back one by one. */
  private pending = new Map<number, number>();
  private strokes: Map<number, number>[] = [];
  private stroke: Map<number, number> | null = null;
  private effect: Effect | null = null;
  private conflicts: Conflict[] = [];
  private events: EventSource | null = null;
  private busy = false;

  constructor(private readonly workspace: Workspace) {
    this.draft = new Draft(workspace.context.api);
    const keys = (event: KeyboardEvent): void => this.onKey(event);
    const menu = (event: Event): void => event.preventDefault();
    document.addEventListener('keydown', keys);
    const canvas = workspace.stage?.map.getCanvas();
    canvas?.addEventListener('contextmenu', menu);
    this.ends = [
      () => document.removeEventListener('keydown', keys),
      () => canvas?.removeEventListener('contextmenu', menu),
      workspace.on('board', (board) => this.onBoard(board)),
    ];
  }

  render(panel: HTMLElement): void {
    this.panel = panel;
    this.renderPanel();
    this.takeTool();
    this.listen();
  }

  stop(): void {
    this.events?.close();
    this.workspace.stage?.use(null);
    this.forget();
    for (const end of this.ends) end();
  }

  private get board(): Board | null {
    return this.workspace.board;
  }

  /** Whether what is on the map may be changed. */
  private get open(): boolean {
    const subject = this.board?.subject;
    return subject !== undefined && subject.publication === null && subject.plan.status === 'draft';
  }

  private onBoard(board: Board | null): void {
    this.pending = new Map();
    this.strokes = [];
    this.conflicts = [];
    if (board && this.to >= board.grids.length) this.to = NEW;
    this.renderPanel();
    this.takeTool();
    this.listen();
  }

  /** Leave what is chosen, and show the board as it is. */
  private forget(): void {
    this.pending = new Map();
    this.strokes = [];
    this.conflicts = [];
    this.effect = null;
    void this.workspace.preview(null);
    void this.workspace.stage?.mark(null);
    this.renderEffect();
  }

  // --- panel

  private renderPanel(): void {
    const { panel, board } = this;
    const { i18n } = this.workspace.context;
    if (!panel) return;
    if (!board || !this.open) {
      fill(panel, h('div', {}, h('h2', {}, i18n.t('redraw.title')), board && this.startOffer(board)));
      return;
    }
    fill(
      panel,
      h(
        'div',
        { class: 'redraw' },
        h('h2', {}, i18n.t('redraw.title')),
        this.toolChoice(),
        this.targetChoice(board),
        h('p', { class: 'muted small' }, i18n.t('redraw.hint')),
        this.stepButtons(),
      ),
      h('div', {}, h('h2', {}, i18n.t('redraw.effect')), this.told, this.effectRoot),
      h('div', {}, this.wholeGrid(board)),
      h('div', {}, h('h2', {}, i18n.t('redraw.history')), this.historyRoot),
    );
    this.renderEffect();
    void this.renderHistory();
  }

  private startOffer(board: Board): HTMLElement {
    const { i18n, format } = this.workspace.context;
    const name = i18n.t('redraw.draftName', {
      date: format.date(new Date().toISOString(), board.territory.time_zone),
    });
    const select = h('select', { 'aria-label': i18n.t('redraw.open'), hidden: true });
    select.append(h('option', { value: '' }, i18n.t('redraw.choose')));
    void this.workspace.plans().then((plans) => {
      const drafts = plans.filter(({ status, solved }) => status === 'draft' && solved);
      select.hidden = drafts.length === 0;
      for (const plan of drafts) select.append(h('option', { value: plan.id }, plan.name || plan.id));
    });
    select.addEventListener('change', () => {
      if (select.value) void this.run(() => this.workspace.showPlan(select.value));
    });
    const start = (): void =>
      void this.run(async () => {
        const plan = await this.draft.branch(board, name);
        await this.workspace.showPlan(plan);
      });
    return h(
      'div',
      { class: 'stack' },
      h('p', {}, i18n.t('redraw.noDraft')),
      h('button', { type: 'button', class: 'primary', onclick: start }, i18n.t('redraw.start')),
      select,
      this.told,
    );
  }

  private toolChoice(): HTMLElement {
    const { i18n } = this.workspace.context;
    const choices = TOOLS.map((name) => {
      const input = h('input', {
        type: 'radio',
        name: 'tool',
        value: name,
        checked: name === this.tool,
        onchange: () => {
          this.tool = name;
          size.hidden = name !== 'brush';
          this.takeTool();
        },
      });
      return h('label', { class: 'segment' }, input, h('span', {}, i18n.t(`redraw.tool.${name}`)));
    });
    const size = h('input', {
      type: 'range',
      min: 4,
      max: 160,
      value: this.size,
      'aria-label': i18n.t('redraw.size'),
      title: i18n.t('redraw.size'),
      hidden: this.tool !== 'brush',
      oninput: () => {
        this.size = Number(size.value);
      },
    });
    return h(
      'div',
      { class: 'row', role: 'radiogroup', 'aria-label': i18n.t('redraw.tool') },
      h('div', { class: 'segments' }, ...choices),
      size,
    );
  }

  private targetChoice(board: Board): HTMLElement {
    const { i18n } = this.workspace.context;
    const select = h('select', {
      id: 'redraw-to',
      'aria-label': i18n.t('redraw.to'),
      onchange: () => {
        this.to = Number(select.value);
        this.outlineTarget();
      },
    });
    select.append(h('option', { value: NEW, selected: this.to === NEW }, i18n.t('redraw.new')));
    for (const [place, name] of gridNames(board)) {
      select.append(h('option', { value: place, selected: place === this.to }, name));
    }
    return h('label', { class: 'row' }, h('span', {}, i18n.t('redraw.to')), select);
  }

  private stepButtons(): HTMLElement {
    const { i18n } = this.workspace.context;
    return h(
      'div',
      { class: 'row' },
      button(i18n.t('redraw.undo'), () => void this.back(), 'Ctrl+Z'),
      button(i18n.t('redraw.redo'), () => void this.step('redo'), 'Ctrl+Shift+Z'),
      button(i18n.t('redraw.repair'), () => void this.suggest()),
    );
  }

  private wholeGrid(board: Board): HTMLElement {
    const { i18n } = this.workspace.context;
    const select = h('select', { 'aria-label': i18n.t('redraw.pick') });
    for (const [place, name] of gridNames(board)) select.append(h('option', { value: place }, name));
    const grid = (): number => Number(select.value);
    return h(
      'div',
      { class: 'stack' },
      h('h2', {}, i18n.t('redraw.grid')),
      h(
        'div',
        { class: 'row' },
        select,
        button(i18n.t('redraw.merge'), () => this.give(rowsOf(board.labels, grid()), this.to)),
        button(i18n.t('redraw.split'), () => this.give(half(board, grid()), NEW)),
        button(i18n.t('redraw.dissolve'), () => this.add(dissolved(board, grid()))),
      ),
    );
  }

  private renderEffect(): void {
    const { i18n, format } = this.workspace.context;
    const { board, effect } = this;
    if (!board) return;
    if (!effect || effect.cells === 0) {
      fill(this.effectRoot, h('p', { class: 'muted' }, i18n.t('redraw.nothing')), this.conflictNote());
      return;
    }
    const reason = h('input', { type: 'text', maxlength: 500, placeholder: i18n.t('redraw.reason') });
    const warn = (text: string): HTMLElement => h('p', { class: 'beyond small', role: 'alert' }, text);
    fill(
      this.effectRoot,
      h(
        'p',
        {},
        h('strong', {}, i18n.t('redraw.cells', { n: format.number(effect.cells) })),
        effect.customers !== null &&
          ` · ${i18n.t('redraw.customers', {
            n: format.number(effect.customers),
            customers: i18n.customers(board.territory),
          })}`,
      ),
      effect.broken.length > 0 && warn(i18n.t('redraw.broken', { grids: effect.broken.join(', ') })),
      effect.emptied.length > 0 && warn(i18n.t('redraw.emptied', { grids: effect.emptied.join(', ') })),
      effect.locked.length > 0 && warn(i18n.t('redraw.locked', { n: effect.locked.length })),
      this.conflictNote(),
      effectTable(effect, board, this.workspace.context),
      h(
        'form',
        {
          class: 'row',
          onsubmit: (event: Event) => {
            event.preventDefault();
            void this.save(reason.value);
          },
        },
        reason,
        h('button', { type: 'submit', class: 'primary', disabled: this.busy }, i18n.t('redraw.save')),
        button(i18n.t('redraw.clear'), () => this.forget(), 'Esc'),
      ),
    );
  }

  private conflictNote(): HTMLElement | null {
    const { i18n } = this.workspace.context;
    const [first] = this.conflicts;
    if (!first) return null;
    const told = i18n.t('redraw.conflict.one', {
      cell: first.cell,
      grid: first.grid ?? '–',
      actor: first.actor,
    });
    return h(
      'div',
      { class: 'problem', role: 'alert' },
      h('p', {}, i18n.t('redraw.conflict', { n: this.conflicts.length, first: told })),
      button(i18n.t('redraw.conflict.without'), () => this.yield()),
      button(i18n.t('redraw.conflict.anyway'), () => {
        this.conflicts = [];
        this.refresh();
      }),
    );
  }

  private async renderHistory(): Promise<void> {
    const { board } = this;
    const { i18n, format } = this.workspace.context;
    if (!board) return;
    const { items } = await this.draft.history(board);
    if (board.subject.plan.id !== this.board?.subject.plan.id) return;
    const lines = items.map((line) =>
      h(
        'li',
        {},
        h('span', { class: 'tag' }, String(line.revision)),
        i18n.t('redraw.history.line', {
          kind: i18n.has(`redraw.kind.${line.kind}`) ?? line.kind,
          n: format.number(line.cells),
        }),
        h('span', { class: 'second' }, [line.actor, line.reason].filter(Boolean).join(' · ')),
      ),
    );
    fill(this.historyRoot, h('ul', { class: 'history' }, ...lines));
  }

  // --- choosing cells

  private takeTool(): void {
    const { stage } = this.workspace;
    if (!this.open) {
      stage?.use(null);
      return;
    }
    const strokes: Strokes = {
      finder: () => this.board?.ground.finder ?? null,
      size: () => this.size,
      touch: (rows, alt) => this.touch(rows, alt),
      end: () => this.endStroke(),
    };
    const made =
      this.tool === 'click'
        ? clickTool(strokes)
        : this.tool === 'brush'
          ? brushTool(strokes)
          : shapeTool(strokes, this.tool, currentTheme().accent);
    stage?.use(this.withPipette(made));
    this.outlineTarget();
  }

  /** The right button takes over the grid under the pointer, whatever the tool. */
  private withPipette(tool: Tool): Tool {
    return {
      ...tool,
      down: (place, event) => {
        if (event.originalEvent.button !== 2) return tool.down?.(place, event) ?? false;
        this.takeGrid(place);
        return true;
      },
    };
  }

  private takeGrid({ row }: Place): void {
    const label = this.board?.labels[row] ?? -1;
    if (label < 0) return;
    this.to = label;
    const select = this.panel?.querySelector<HTMLSelectElement>('#redraw-to');
    if (select) select.value = String(label);
    this.outlineTarget();
  }

  private outlineTarget(): void {
    void this.workspace.stage?.select(this.to, -1);
  }

  private touch(rows: number[], alt: boolean): void {
    this.stroke ??= new Map();
    for (const row of rows) this.stroke.set(row, alt ? -1 : this.to);
    const now = new Map(this.pending);
    paint(now, this.stroke);
    this.show(now);
  }

  private endStroke(): void {
    if (this.stroke) this.add(this.stroke);
    this.stroke = null;
  }

  private give(rows: number[], to: number): void {
    if (to !== NEW && to < 0) return;
    this.add(new Map(rows.map((row) => [row, to])));
  }

  private add(stroke: Map<number, number>): void {
    this.strokes.push(stroke);
    paint(this.pending, stroke);
    this.refresh();
  }

  private refresh(): void {
    this.show(this.pending);
  }

  /** Show what is chosen on the map, and what it would do in the panel. */
  private show(pending: ReadonlyMap<number, number>): void {
    const { board } = this;
    if (!board) return;
    const base = withNew(board, pending, this.workspace.context.i18n.t('redraw.new'));
    const effect = effectOf(base, resolved(pending, board));
    this.effect = effect;
    const marks = new Uint8Array(board.labels.length);
    for (const row of pending.keys()) {
      if (effect.board.labels[row] !== board.labels[row]) marks[row] = Mark.moved;
    }
    for (const row of effect.locked) marks[row] = Mark.hatched;
    for (const { cell } of this.conflicts) {
      const row = board.ground.finder.rowOf(cell);
      if (row >= 0) marks[row] = Mark.conflict;
    }
    void this.workspace.preview(effect.board).then(() => this.workspace.stage?.mark(marks));
    this.renderEffect();
  }

  // --- saving, taking back

  private async save(reason: string): Promise<void> {
    const { board, effect } = this;
    if (!board || !effect || effect.cells === 0) return;
    const hands = handsOf(board, this.pending);
    await this.run(
      async () => this.settle(await this.draft.hand(board, hands, reason, effect.emptied.length > 0)),
      (error) => this.onRefused(error),
    );
  }

  private onRefused(error: unknown): boolean {
    this.conflicts = conflictsOf(error);
    if (this.conflicts.length === 0) return false;
    void this.catchUp();
    return true;
  }

  /** Take what others changed out of what is chosen. */
  private yield(): void {
    const { board } = this;
    if (!board) return;
    for (const { cell } of this.conflicts) this.pending.delete(board.ground.finder.rowOf(cell));
    this.conflicts = [];
    this.refresh();
  }

  /** Take back the last stroke, or where there is none the last move which was saved. */
  private async back(): Promise<void> {
    if (this.strokes.pop()) {
      this.pending = new Map();
      for (const stroke of this.strokes) paint(this.pending, stroke);
      this.refresh();
      return;
    }
    await this.step('undo');
  }

  private async step(which: 'undo' | 'redo'): Promise<void> {
    const { board } = this;
    if (!board) return;
    await this.run(async () => this.settle(await this.draft.step(board, which)));
  }

  private async settle(board: Board): Promise<void> {
    this.pending = new Map();
    this.strokes = [];
    this.conflicts = [];
    this.effect = null;
    await this.workspace.put(board);
    await this.workspace.stage?.mark(null);
  }

  private async suggest(): Promise<void> {
    const { board } = this;
    const { i18n, format } = this.workspace.context;
    if (!board) return;
    await this.run(async () => {
      const proposal: Proposal = await this.draft.repair(board, null);
      const moved = new Map<number, number>();
      for (const { to, cells } of proposal.moves ?? []) {
        for (const cell of cells) moved.set(board.ground.finder.rowOf(cell), board.index.get(to) ?? -1);
      }
      if (moved.size) this.add(moved);
      this.say(
        moved.size
          ? i18n.t('redraw.repair.found', { n: format.number(moved.size) })
          : i18n.t('redraw.repair.none'),
      );
    });
  }

  // --- others

  /** Others' moves on this draft appear as they happen. */
  private listen(): void {
    this.events?.close();
    this.events = null;
    const plan = this.board?.subject.plan.id;
    if (!plan || !this.open) return;
    this.events = new EventSource(`/v1/events?topics=moves&plan=${plan}`);
    this.events.addEventListener('plan.moved', (event) => {
      const told = JSON.parse((event as MessageEvent<string>).data) as {
        revision: number;
        actor: string;
        cells: number;
      };
      if (this.busy || told.revision <= (this.board?.subject.revision ?? Infinity)) return;
      this.say(
        this.workspace.context.i18n.t('redraw.others', {
          actor: told.actor,
          n: this.workspace.context.format.number(told.cells),
        }),
      );
      void this.catchUp();
    });
  }

  /** Bring the board up to date and keep what is chosen, as far as grids are still there. */
  private async catchUp(): Promise<void> {
    const { board } = this;
    if (!board) return;
    const kept = [this.pending, this.strokes, this.conflicts] as const;
    const codes = board.grids.map(({ code }) => code);
    const now = await this.draft.caughtUp(board);
    if (this.board?.subject.plan.id !== now.subject.plan.id) return;
    await this.workspace.put(now);
    const place = (to: number): number => (to < 0 ? to : (now.index.get(codes[to] ?? '') ?? -1));
    const moved = (stroke: Map<number, number>): Map<number, number> =>
      new Map([...stroke].map(([row, to]) => [row, place(to)]));
    this.pending = moved(kept[0]);
    this.strokes = kept[1].map(moved);
    this.conflicts = kept[2];
    this.refresh();
  }

  // --- what all of it needs

  private onKey(event: KeyboardEvent): void {
    const typing = event.target instanceof HTMLInputElement && event.target.type === 'text';
    if (!this.open || typing) return;
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (command && key === 'z') void (event.shiftKey ? this.step('redo') : this.back());
    else if (command && key === 'y') void this.step('redo');
    else if (key === 'escape') this.forget();
    else if (key === 'enter' && event.target === document.body) void this.save('');
    else return;
    event.preventDefault();
  }

  private say(text: string | HTMLElement): void {
    fill(this.told, typeof text === 'string' ? h('p', { class: 'small' }, text) : text);
  }

  /** Do one thing at a time; what the service refuses is told in the panel. */
  private async run(
    work: () => Promise<unknown>,
    refused: (error: unknown) => boolean = () => false,
  ): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    fill(this.told);
    try {
      await work();
    } catch (error) {
      if (!refused(error)) this.say(describeError(error, this.workspace.context));
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.busy = false;
      this.renderEffect();
    }
  }
}

/** A stroke over what was chosen before; -1 takes cells out again. */
function paint(pending: Map<number, number>, stroke: ReadonlyMap<number, number>): void {
  for (const [row, to] of stroke) {
    if (to === -1) pending.delete(row);
    else pending.set(row, to);
  }
}

/** The board with one more grid at the end, where cells are given to a new one. */
function withNew(board: Board, pending: ReadonlyMap<number, number>, name: string): Board {
  if (![...pending.values()].includes(NEW)) return board;
  const [like] = board.grids;
  if (!like) return board;
  const none = Object.fromEntries(Object.keys(like.measures).map((measure) => [measure, 0]));
  const grid = {
    ...like,
    code: '+',
    name,
    team: null,
    team_name: null,
    lead_name: null,
    carve_out: false,
    cells: 0,
    area_km2: 0,
    pieces: 0,
    measures: none,
    targets: averageTargets(board),
    deviation: {},
  };
  const grids = [...board.grids, grid];
  return { ...board, grids, index: new Map(grids.map(({ code }, i) => [code, i])) };
}

/** What a new grid should have: the sum of all targets, dealt out to one grid more. */
function averageTargets(board: Board): Record<string, number | null> {
  const grids = shownGrids(board).filter((grid) => !grid.carve_out);
  return Object.fromEntries(
    board.measures.map((measure) => {
      const sum = grids.reduce((all, grid) => all + (grid.targets[measure] ?? 0), 0);
      return [measure, sum / (grids.length + 1)];
    }),
  );
}

function resolved(pending: ReadonlyMap<number, number>, board: Board): Map<number, number> {
  return new Map([...pending].map(([row, to]) => [row, to === NEW ? board.grids.length : to]));
}

function handsOf(board: Board, pending: ReadonlyMap<number, number>): Hand[] {
  const byGrid = new Map<number, number[]>();
  for (const [row, to] of pending) {
    if (board.labels[row] !== to) byGrid.set(to, [...(byGrid.get(to) ?? []), row]);
  }
  return [...byGrid].map(([to, rows]) => ({ rows, to: to === NEW ? null : (board.grids[to]?.code ?? null) }));
}

/** Places and names of the grids which are there. */
function gridNames(board: Board): [number, string][] {
  return shownGrids(board).map((grid) => [
    board.index.get(grid.code) ?? -1,
    grid.name && grid.name !== grid.code ? `${grid.code} ${grid.name}` : grid.code,
  ]);
}

function button(text: string, onclick: () => void, key = ''): HTMLElement {
  return h('button', { type: 'button', class: 'plain', onclick, title: key || null }, text);
}
