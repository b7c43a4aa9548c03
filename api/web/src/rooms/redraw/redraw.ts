/** Redraw the borders of a draft: choose cells, see what it would do, save, take back. */
import { ApiError } from '../../api.ts';
import { describeError } from '../../answer.ts';
import type { Board } from '../../board.ts';
import { fill, h } from '../../dom.ts';
import type { Room, Workspace } from '../../workspace.ts';
import { startOffer, stepButtons, targetChoice, toolChoice, wholeGrid } from './choices.ts';
import { NEW } from './chosen.ts';
import { conflictsOf, Draft, freeName } from './draft.ts';
import { Easel } from './easel.ts';
import { dissolved, half, rowsOf } from './effect.ts';
import { Others, type Told } from './others.ts';
import { conflictNote, effectSummary, historyList, saveForm } from './summary.ts';

export class RedrawRoom implements Room {
  private readonly draft: Draft;
  private readonly others: Others;
  private readonly ends: (() => void)[];
  private panel: HTMLElement | null = null;
  private readonly effectRoot = h('div', { class: 'effect', 'aria-live': 'polite' });
  private readonly told = h('div', { role: 'status' });
  private readonly historyRoot = h('div', {});
  private readonly easel: Easel;
  private busy = false;

  constructor(private readonly workspace: Workspace) {
    const { api } = workspace.context;
    this.draft = new Draft(api);
    this.others = new Others(api, (told) => this.onOthers(told));
    this.easel = new Easel(
      workspace,
      () => this.renderEffect(),
      (to) => this.showTarget(to),
    );
    const keys = (event: KeyboardEvent): void => this.onKey(event);
    const menu = (event: Event): void => event.preventDefault();
    document.addEventListener('keydown', keys);
    const canvas = workspace.stage?.map.getCanvas();
    canvas?.addEventListener('contextmenu', menu);
    this.ends = [
      () => document.removeEventListener('keydown', keys),
      () => canvas?.removeEventListener('contextmenu', menu),
      () => this.others.follow(null),
      workspace.on('board', (board) => this.onBoard(board)),
    ];
  }

  render(panel: HTMLElement): void {
    this.panel = panel;
    this.takeUp();
  }

  stop(): void {
    this.workspace.stage?.use(null);
    this.easel.forget();
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
    this.easel.clear();
    if (board && this.easel.to >= board.grids.length) this.easel.to = NEW;
    this.takeUp();
  }

  private takeUp(): void {
    this.renderPanel();
    this.easel.take(this.open);
    this.others.follow(this.open ? (this.board?.subject.plan.id ?? null) : null);
  }

  // --- panel

  private renderPanel(): void {
    const { panel, board } = this;
    const { context } = this.workspace;
    const { i18n } = context;
    if (!panel) return;
    if (!board || !this.open) {
      fill(panel, h('div', {}, h('h2', {}, i18n.t('redraw.title')), board && this.offer(board), this.told));
      return;
    }
    const steps = {
      back: () => void this.back(),
      again: () => void this.step('redo'),
      repair: () => void this.suggest(),
    };
    const whole = {
      merge: (grid: number) =>
        this.easel.add(new Map(rowsOf(board.labels, grid).map((row) => [row, this.easel.to]))),
      split: (grid: number) => this.easel.add(new Map(half(board, grid).map((row) => [row, NEW]))),
      dissolve: (grid: number) => this.easel.add(dissolved(board, grid)),
    };
    fill(
      panel,
      h(
        'div',
        { class: 'redraw' },
        h('h2', {}, i18n.t('redraw.title')),
        toolChoice(context, this.easel.held, () => this.easel.take(this.open)),
        targetChoice(context, board, this.easel.to, (to) => this.easel.giveTo(to)),
        h('p', { class: 'muted small' }, i18n.t('redraw.hint')),
        stepButtons(context, steps),
      ),
      h('div', {}, h('h2', {}, i18n.t('redraw.effect')), this.told, this.effectRoot),
      h('div', {}, wholeGrid(context, board, whole)),
      h('div', {}, h('h2', {}, i18n.t('redraw.history')), this.historyRoot),
    );
    this.renderEffect();
    void this.renderHistory(board);
  }

  private offer(board: Board): HTMLElement {
    const { context } = this.workspace;
    const date = context.format.date(new Date().toISOString(), board.territory.time_zone);
    const plans = this.workspace.plans();
    const start = async (): Promise<void> => {
      const taken = (await plans).map(({ name }) => name);
      const name = freeName(context.i18n.t('redraw.draftName', { date }), taken);
      await this.workspace.showPlan(await this.draft.branch(board, name));
    };
    return startOffer(
      context,
      plans,
      () => void this.run(start),
      (plan) => void this.run(() => this.workspace.showPlan(plan)),
    );
  }

  /** Have the list of grids say what was taken over from the map. */
  private showTarget(to: number): void {
    const select = this.panel?.querySelector<HTMLSelectElement>('#redraw-to');
    if (select) select.value = String(to);
  }

  private judge(decide: () => void): void {
    decide();
    this.easel.show();
  }

  private renderEffect(): void {
    const { board } = this;
    const { effect, chosen } = this.easel;
    const { context } = this.workspace;
    if (!board) return;
    const note = conflictNote(
      context,
      chosen.conflicts,
      () => this.judge(() => chosen.yield(board)),
      () => this.judge(() => (chosen.conflicts = [])),
    );
    if (!effect || effect.cells === 0) {
      fill(this.effectRoot, h('p', { class: 'muted' }, context.i18n.t('redraw.nothing')), note);
      return;
    }
    const form = saveForm(
      context,
      this.busy,
      (reason) => void this.save(reason),
      () => this.easel.forget(),
    );
    fill(this.effectRoot, note, ...effectSummary(effect, board, context), form);
  }

  private async renderHistory(board: Board): Promise<void> {
    const { items } = await this.draft.history(board);
    if (board.subject.plan.id !== this.board?.subject.plan.id) return;
    fill(this.historyRoot, historyList(items, this.workspace.context));
  }

  // --- saving, taking back

  private async save(reason: string): Promise<void> {
    const { board } = this;
    const { effect } = this.easel;
    if (!board || !effect || effect.cells === 0) return;
    const hands = this.easel.chosen.hands(board);
    await this.run(
      async () => this.settle(await this.draft.hand(board, hands, reason, effect.emptied.length > 0)),
      (error) => this.onRefused(error),
    );
  }

  private onRefused(error: unknown): boolean {
    this.easel.chosen.conflicts = conflictsOf(error);
    if (this.easel.chosen.conflicts.length === 0) return false;
    void this.catchUp();
    return true;
  }

  /** Take back the last stroke, or where there is none the last move which was saved. */
  private async back(): Promise<void> {
    if (this.easel.chosen.back()) this.easel.show();
    else await this.step('undo');
  }

  private async step(which: 'undo' | 'redo'): Promise<void> {
    const { board } = this;
    if (!board) return;
    await this.run(async () => this.settle(await this.draft.step(board, which)));
  }

  private async settle(board: Board): Promise<void> {
    this.easel.clear();
    await this.workspace.put(board);
    await this.workspace.stage?.mark(null);
  }

  private async suggest(): Promise<void> {
    const { board } = this;
    const { i18n, format } = this.workspace.context;
    if (!board) return;
    await this.run(async () => {
      const { moves } = await this.draft.repair(board, null);
      const moved = new Map<number, number>();
      for (const { to, cells } of moves ?? []) {
        for (const cell of cells) moved.set(board.ground.finder.rowOf(cell), board.index.get(to) ?? -1);
      }
      if (moved.size) this.easel.add(moved);
      const n = format.number(moved.size);
      this.say(moved.size ? i18n.t('redraw.repair.found', { n }) : i18n.t('redraw.repair.none'));
    });
  }

  // --- others

  private onOthers({ revision, actor, cells }: Told): void {
    const { i18n, format } = this.workspace.context;
    if (this.busy || revision <= (this.board?.subject.revision ?? Infinity)) return;
    this.say(i18n.t('redraw.others', { actor, n: format.number(cells) }));
    void this.catchUp();
  }

  /** Bring the board up to date and keep what is chosen, as far as grids are still there. */
  private async catchUp(): Promise<void> {
    const { board } = this;
    if (!board) return;
    const now = await this.draft.caughtUp(board);
    if (this.board?.subject.plan.id !== now.subject.plan.id) return;
    const place = (to: number): number => (to < 0 ? to : (now.index.get(board.grids[to]?.code ?? '') ?? -1));
    const kept = this.easel.chosen.placed(place);
    await this.workspace.put(now);
    this.easel.chosen = kept;
    this.easel.show();
  }

  // --- what all of it needs

  private onKey(event: KeyboardEvent): void {
    const typing = event.target instanceof HTMLInputElement && event.target.type === 'text';
    if (!this.open || typing) return;
    const command = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (command && key === 'z') void (event.shiftKey ? this.step('redo') : this.back());
    else if (command && key === 'y') void this.step('redo');
    else if (key === 'escape') this.easel.forget();
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
