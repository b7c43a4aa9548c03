/** The plans of the territory: show, branch and rename them. */
import type { PlanDetail } from '../../api.ts';
import { fill, h } from '../../dom.ts';
import type { Workspace } from '../../workspace.ts';
import { Solving } from './solving.ts';

export class PlanList {
  readonly root = h('div', {});
  private readonly solving: Solving;

  constructor(
    private readonly workspace: Workspace,
    private readonly work: (work: () => Promise<unknown>) => Promise<void>,
  ) {
    this.solving = new Solving(workspace.context.api);
  }

  render(plans: readonly PlanDetail[]): void {
    const { i18n } = this.workspace.context;
    fill(
      this.root,
      plans.length === 0
        ? h('p', { class: 'muted' }, i18n.t('plans.none'))
        : h('ul', { class: 'plan-list' }, ...plans.map((plan) => this.item(plan))),
    );
  }

  async reload(): Promise<void> {
    const { territory } = this.workspace;
    const plans = await this.workspace.plans();
    if (territory === this.workspace.territory) this.render(plans);
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
      plan.solved &&
        choice(i18n.t('plans.show'), () => void this.work(() => this.workspace.showPlan(plan.id))),
      plan.solved && choice(i18n.t('plans.branch'), () => void this.work(() => this.branch(plan))),
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

  private async branch(plan: PlanDetail): Promise<void> {
    const made = await this.workspace.context.api.post<PlanDetail>(`/v1/plans/${plan.id}/branch`, {
      name: plan.name ?? '',
    });
    await this.workspace.showPlan(made.id);
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
        if (key === 'Escape') void this.work(() => this.reload());
        if (key !== 'Enter') return;
        void this.work(async () => {
          await this.solving.rename(plan.id, plan.revision, input.value.trim());
          await this.reload();
        });
      },
    });
    fill(title, input);
    input.focus();
  }
}
