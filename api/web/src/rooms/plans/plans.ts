/** Plans of the territory: begin, make new ones, follow how they come about, and show those there are. */
import './plans.css';
import { ApiError } from '../../api.ts';
import { describeError } from '../../answer.ts';
import { byId, fill, h } from '../../dom.ts';
import type { Place } from '../../stage.ts';
import type { Room, Workspace } from '../../workspace.ts';
import { Begin } from '../begin/begin.ts';
import { frontier } from './frontier.ts';
import { PlanList } from './listing.ts';
import { Maker } from './making.ts';
import { messageOf, worstIn } from './messages.ts';
import { Preview } from './preview.ts';
import { Solving, type Choice, type Job } from './solving.ts';

export class PlansRoom implements Room {
  private readonly solving: Solving;
  private readonly ends: (() => void)[];
  private readonly begin: Begin;
  private readonly maker: Maker;
  private readonly list: PlanList;
  private readonly beginRoot = h('div', {});
  private readonly makeRoot = h('div', {});
  private readonly listRoot = h('div', {});
  private readonly told = h('div', { role: 'status' });
  private readonly progressRoot = h('div', { class: 'progress' });
  private job: string | null = null;
  private choices: Choice[] = [];
  /** Whether the three ways to begin are asked for though there are plans. */
  private asked = false;
  private turn = 0;
  private readonly preview: Preview;

  constructor(private readonly workspace: Workspace) {
    const { api } = workspace.context;
    this.solving = new Solving(api);
    this.preview = new Preview(workspace);
    const work = (todo: () => Promise<unknown>): Promise<void> => this.work(todo);
    this.begin = new Begin(workspace, () => {
      this.asked = this.begin.busy;
      void this.renderAll();
    });
    this.list = new PlanList(workspace, work);
    this.maker = new Maker(workspace, {
      solve: (wish) => void this.follow(() => this.solving.solve(wish)),
      realign: (wish) => {
        const { board } = workspace;
        if (board) void this.follow(() => this.solving.realign(board, wish));
      },
      work,
    });
    this.ends = [
      workspace.on('territory', () => void this.renderAll()),
      workspace.on('board', () => void this.renderAll()),
    ];
  }

  render(panel: HTMLElement): void {
    // What to do is said in the panel, with room on the map for what is chosen.
    byId('page').classList.add('beginning');
    fill(panel, this.beginRoot, this.makeRoot, this.listRoot);
    void this.renderAll();
  }

  stop(): void {
    byId('page').classList.remove('beginning');
    this.begin.stop();
    this.maker.stop();
    for (const end of this.ends) end();
  }

  pick(place: Place): boolean {
    return this.begin.busy ? this.begin.pick(place) : this.maker.pick(place);
  }

  /** Which parts there are depends on how far the territory is: none, cut into cells, or with plans. */
  private async renderAll(): Promise<void> {
    const { territory, territories, board } = this.workspace;
    const turn = ++this.turn;
    if (this.begin.busy || !territory) {
      // A territory which is about to be opened is none to begin without.
      if (this.begin.busy || territories.length === 0) this.show({ begin: true, make: false, list: false });
      return;
    }
    await this.work(async () => {
      const [tilings, plans] = await Promise.all([
        this.solving.tilings(territory.id),
        this.workspace.plans(),
      ]);
      if (turn !== this.turn) return;
      const usable = tilings.filter(({ measures }) => Object.keys(measures).length > 0);
      const fresh = plans.length === 0 && !board;
      this.show({ begin: this.asked || usable.length === 0, make: usable.length > 0, list: !fresh });
      if (this.job === null && usable.length > 0) this.maker.render(usable.reverse());
      this.list.render(plans);
    });
  }

  private show({ begin, make, list }: { begin: boolean; make: boolean; list: boolean }): void {
    const { i18n } = this.workspace.context;
    this.makeRoot.hidden = !make;
    this.listRoot.hidden = !list;
    this.beginRoot.hidden = false;
    if (begin) {
      this.begin.render();
      const close = this.asked && !this.begin.busy && this.ask('begin.close', false);
      fill(this.beginRoot, this.begin.root, close);
    } else fill(this.beginRoot, this.ask('begin.again', true));
    fill(
      this.makeRoot,
      h('h2', {}, i18n.t('plans.kind')),
      this.job === null && this.maker.root,
      this.told,
      this.progressRoot,
    );
    fill(this.listRoot, h('h2', {}, i18n.t('plans.title')), this.list.root);
  }

  private ask(words: 'begin.close' | 'begin.again', asked: boolean): HTMLElement {
    const onclick = (): void => {
      this.asked = asked;
      void this.renderAll();
    };
    const { i18n } = this.workspace.context;
    return h('button', { type: 'button', class: 'plain', onclick }, i18n.t(words));
  }

  /** Start, show how far it is, and put the result on the map. */
  private async follow(start: () => Promise<{ plan: string; job: Job }>): Promise<void> {
    const { i18n } = this.workspace.context;
    if (this.job !== null) return;
    fill(this.told);
    this.choices = [];
    await this.work(async () => {
      const { plan, job } = await start();
      this.job = job.id;
      this.maker.root.remove();
      try {
        const done = await this.solving.follow(job.id, (now) => {
          this.renderProgress(now);
          if (now.status === 'running' && now.kind === 'solve') void this.preview.look(job.id, plan);
        });
        if (done.status === 'cancelled') {
          await this.preview.stop();
          fill(this.told, h('p', {}, i18n.t('plans.cancelled')));
          return;
        }
        this.preview.end();
        this.choices = (done.result?.['choices'] as Choice[] | undefined) ?? [];
        await this.workspace.showPlan(plan);
        await this.explain(plan);
      } catch (error) {
        await this.preview.stop();
        throw error;
      } finally {
        this.job = null;
        fill(this.progressRoot);
      }
    });
    await this.renderAll();
  }

  private renderProgress(job: Job): void {
    const { i18n, format } = this.workspace.context;
    const worst = worstIn(job.message);
    const told = job.status === 'queued' ? i18n.t('plans.waiting') : messageOf(job.message, i18n);
    if (this.progressRoot.childElementCount === 0) {
      const cancel = (): void => void this.solving.cancel(job.id).catch(() => undefined);
      fill(
        this.progressRoot,
        h('p', { role: 'status' }),
        h('progress', { max: 1, 'aria-label': i18n.t('plans.progress') }),
        h('p', { class: 'worst' }),
        h('p', { class: 'muted small' }, job.kind === 'solve' && i18n.t('plans.preview')),
        h('button', { type: 'button', class: 'plain', onclick: cancel }, i18n.t('plans.cancel')),
      );
    }
    const [words, bar, deviation] = this.progressRoot.children;
    if (words) words.textContent = `${told || i18n.t('plans.solving')} · ${format.percent(job.share)}`;
    if (bar instanceof HTMLProgressElement) bar.value = job.share;
    if (deviation) {
      deviation.textContent = worst === null ? '' : `${i18n.t('plans.worst')}: ${format.percent(worst)}`;
    }
  }

  /** What the report says in words: what is in the way, and what would help. */
  private async explain(plan: string): Promise<void> {
    const { api, i18n } = this.workspace.context;
    const report = await api.get<{ explanation?: { lines?: unknown[] } }>(`/v1/plans/${plan}/report`);
    const lines = (report.explanation?.lines ?? []).map((line) =>
      typeof line === 'string' ? line : String((line as Record<string, unknown>)[i18n.language] ?? ''),
    );
    fill(
      this.told,
      h('p', {}, h('strong', {}, i18n.t('plans.done'))),
      lines.length > 0 &&
        h(
          'div',
          {},
          h('p', {}, i18n.t('plans.explained')),
          h('ul', {}, ...lines.map((line) => h('li', {}, line))),
        ),
      this.choices.length > 1 && this.choice(),
    );
  }

  private choice(): HTMLElement {
    const shown = this.workspace.board?.subject.plan.id ?? null;
    return frontier(this.choices, shown, this.workspace.context, ({ plan }) => {
      void this.work(async () => {
        await this.workspace.showPlan(plan);
        await this.explain(plan);
      });
    });
  }

  private async work(todo: () => Promise<unknown>): Promise<void> {
    try {
      await todo();
    } catch (error) {
      fill(this.told, describeError(error, this.workspace.context));
      if (!(error instanceof ApiError)) throw error;
    }
  }
}
