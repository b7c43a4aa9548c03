/** Plans of the territory: show, branch and rename them, and make new ones. */
import './plans.css';
import { ApiError, type PlanDetail } from '../../api.ts';
import { describeError } from '../../answer.ts';
import { fill, h } from '../../dom.ts';
import type { Room, Workspace } from '../../workspace.ts';
import { solveForm } from './form.ts';
import { frontier } from './frontier.ts';
import { Solving, type Choice, type Job, type Wish } from './solving.ts';

export class PlansRoom implements Room {
  private readonly solving: Solving;
  private readonly ends: (() => void)[];
  private readonly told = h('div', { role: 'status' });
  private readonly makeRoot = h('div', {});
  private readonly progressRoot = h('div', { class: 'progress', 'aria-live': 'polite' });
  private readonly listRoot = h('div', {});
  private kind: 'solve' | 'realign' = 'solve';
  private job: string | null = null;
  private choices: Choice[] = [];

  constructor(private readonly workspace: Workspace) {
    this.solving = new Solving(workspace.context.api);
    this.ends = [
      workspace.on('territory', () => this.renderAll()),
      workspace.on('board', () => this.renderAll()),
    ];
  }

  render(panel: HTMLElement): void {
    const { i18n } = this.workspace.context;
    fill(
      panel,
      h('div', {}, h('h2', {}, i18n.t('plans.kind')), this.makeRoot, this.told, this.progressRoot),
      h('div', {}, h('h2', {}, i18n.t('plans.title')), this.listRoot),
    );
    this.renderAll();
  }

  stop(): void {
    for (const end of this.ends) end();
  }

  private renderAll(): void {
    void this.renderMake();
    void this.renderList();
  }

  private async renderMake(): Promise<void> {
    const { territory, board, context } = this.workspace;
    const { i18n } = context;
    if (!territory || this.job !== null) return;
    await this.read(async () => {
      const tilings = (await this.solving.tilings(territory.id)).filter(
        (tiling) => Object.keys(tiling.measures).length > 0,
      );
      if (territory !== this.workspace.territory || this.job !== null) return;
      const kinds = (['solve', 'realign'] as const).map((kind) =>
        h(
          'label',
          { class: 'segment' },
          h('input', {
            type: 'radio',
            name: 'make',
            checked: kind === this.kind,
            disabled: kind === 'realign' && !board,
            onchange: () => {
              this.kind = kind;
              void this.renderMake();
            },
          }),
          h('span', {}, i18n.t(`plans.kind.${kind}`)),
        ),
      );
      const form =
        this.kind === 'realign' && board
          ? this.realignForm()
          : solveForm({ tilings, columns: [] }, territory, context, (wish) => void this.solve(wish));
      fill(this.makeRoot, h('div', { class: 'segments' }, ...kinds), form);
    });
  }

  private realignForm(): HTMLElement {
    const { i18n } = this.workspace.context;
    const name = h('input', { type: 'text', maxlength: 200 });
    const share = h('input', { type: 'number', min: 0, max: 100, step: 0.5, value: 10 });
    const several = h('input', { type: 'checkbox', checked: true });
    return h(
      'form',
      {
        class: 'form',
        onsubmit: (event: Event) => {
          event.preventDefault();
          void this.realign(Number(share.value), several.checked, name.value.trim());
        },
      },
      h('label', { class: 'field' }, h('span', {}, i18n.t('plans.name')), name),
      h('label', { class: 'field' }, h('span', {}, i18n.t('plans.keep')), share),
      h('label', { class: 'small' }, several, ` ${i18n.t('plans.choices')}`),
      h('button', { type: 'submit', class: 'primary' }, i18n.t('plans.start')),
    );
  }

  private solve(wish: Wish): Promise<void> {
    return this.follow(() => this.solving.solve(wish));
  }

  private async realign(percent: number, choices: boolean, name: string): Promise<void> {
    const { board } = this.workspace;
    if (board) await this.follow(() => this.solving.realign(board, percent, choices, name));
  }

  /** Start, show how far it is, and put the result on the map. */
  private async follow(start: () => Promise<{ plan: string; job: Job }>): Promise<void> {
    const { i18n } = this.workspace.context;
    if (this.job !== null) return;
    fill(this.told);
    this.choices = [];
    await this.read(async () => {
      const { plan, job } = await start();
      this.job = job.id;
      fill(this.makeRoot);
      try {
        const done = await this.solving.follow(job.id, (now) => this.renderProgress(now));
        if (done.status === 'cancelled') {
          this.say(i18n.t('plans.cancelled'));
          return;
        }
        this.choices = (done.result?.['choices'] as Choice[] | undefined) ?? [];
        await this.workspace.showPlan(plan);
        await this.explain(plan);
      } finally {
        this.job = null;
        fill(this.progressRoot);
      }
    });
    this.renderAll();
  }

  private renderProgress(job: Job): void {
    const { i18n, format } = this.workspace.context;
    const cancel = (): void => void this.solving.cancel(job.id).catch(() => undefined);
    fill(
      this.progressRoot,
      h('p', {}, job.message || i18n.t('plans.solving'), ` · ${format.percent(job.share)}`),
      h('progress', { max: 1, value: job.share, 'aria-label': i18n.t('plans.progress') }),
      h('button', { type: 'button', class: 'plain', onclick: cancel }, i18n.t('plans.cancel')),
    );
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
      void this.read(async () => {
        await this.workspace.showPlan(plan);
        await this.explain(plan);
      });
    });
  }

  private async renderList(): Promise<void> {
    const { territory, context } = this.workspace;
    if (!territory) return;
    await this.read(async () => {
      const plans = await this.workspace.plans();
      if (territory !== this.workspace.territory) return;
      fill(
        this.listRoot,
        plans.length === 0
          ? h('p', { class: 'muted' }, context.i18n.t('plans.none'))
          : h('ul', { class: 'plan-list' }, ...plans.map((plan) => this.item(plan))),
      );
    });
  }

  private item(plan: PlanDetail): HTMLElement {
    const { i18n, format } = this.workspace.context;
    const zone = this.workspace.territory?.time_zone ?? 'UTC';
    const shown = this.workspace.board?.subject.plan.id === plan.id;
    const choice = (text: string, onclick: () => void): HTMLElement =>
      h('button', { type: 'button', class: 'plain', onclick }, text);
    const title = h('strong', {}, plan.name || plan.id);
    const row = h(
      'div',
      { class: 'row' },
      plan.solved && choice(i18n.t('plans.show'), () => void this.showPlan(plan.id)),
      plan.solved && choice(i18n.t('plans.branch'), () => void this.branch(plan)),
      plan.status === 'draft' && choice(i18n.t('plans.rename'), () => this.rename(plan, title)),
    );
    return h(
      'li',
      { 'aria-current': shown ? 'true' : null },
      title,
      ' ',
      h('span', { class: 'tag' }, i18n.has(`plan.status.${plan.status}`) ?? plan.status),
      h(
        'span',
        { class: 'second' },
        i18n.t('plans.by', {
          actor: plan.created_by,
          date: format.date(plan.recorded_at, zone),
          grids: format.number(plan.grids),
        }),
      ),
      row,
    );
  }

  private async showPlan(id: string): Promise<void> {
    await this.read(() => this.workspace.showPlan(id));
  }

  private async branch(plan: PlanDetail): Promise<void> {
    await this.read(async () => {
      const made = await this.workspace.context.api.post<PlanDetail>(`/v1/plans/${plan.id}/branch`, {
        name: plan.name ?? '',
      });
      await this.workspace.showPlan(made.id);
    });
  }

  /** Turn the name into a field; Enter keeps what is written, Escape what was. */
  private rename(plan: PlanDetail, title: HTMLElement): void {
    const { i18n } = this.workspace.context;
    const input = h('input', {
      type: 'text',
      value: plan.name ?? '',
      maxlength: 200,
      'aria-label': i18n.t('plans.rename.ask'),
      onkeydown: (event: Event) => {
        const { key } = event as KeyboardEvent;
        if (key === 'Escape') void this.renderList();
        if (key !== 'Enter') return;
        void this.read(async () => {
          await this.solving.rename(plan.id, plan.revision, input.value.trim());
          await this.renderList();
        });
      },
    });
    fill(title, input);
    input.focus();
  }

  private say(text: string): void {
    fill(this.told, h('p', {}, text));
  }

  private async read(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      fill(this.told, describeError(error, this.workspace.context));
      if (!(error instanceof ApiError)) throw error;
    }
  }
}
