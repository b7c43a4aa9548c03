/** A handover: told first what it would come to, then done. */
import { addressOf } from '../../api.ts';
import { shownGrids, teamName, type Board } from '../../board.ts';
import { fill, h } from '../../dom.ts';
import type { Key } from '../../i18n.ts';
import type { Handover } from './api.ts';
import { effectOf } from './effect.ts';
import { clearFaults, field, select, tellFault } from './fields.ts';
import { nameOfRole } from './roles.ts';
import { personNames, teamNames, type Desk, type Option, type View } from './view.ts';

type Kind = Handover['kind'];
/** States of handovers which something is still to come of. */
const RUNNING: readonly Handover['state'][] = ['draft', 'scheduled', 'acting'];
/** Names of fields which the service calls otherwise than this form. */
const FIELDS = { successors: 'successor', lead: 'successor', valid_until: 'effective_at' };

export class HandoverView implements View {
  readonly root = h('div', {});
  private kind: Kind = 'leaver';
  private readonly form = h('form', { class: 'form' });
  private readonly effect = h('div', { 'aria-live': 'polite' });
  private readonly past = h('div', {});

  constructor(private readonly desk: Desk) {
    const { i18n } = desk.workspace.context;
    const kinds = (['leaver', 'grid'] as const).map((kind) =>
      h(
        'label',
        { class: 'segment' },
        h('input', {
          type: 'radio',
          name: 'handover-kind',
          checked: kind === this.kind,
          onchange: () => {
            this.kind = kind;
            this.renderForm();
          },
        }),
        h('span', {}, i18n.t(`teams.hand.${kind}`)),
      ),
    );
    const may = desk.workspace.may('roster:write');
    fill(
      this.root,
      !may && h('p', { class: 'muted' }, i18n.t('teams.hand.mayNot')),
      may &&
        h(
          'div',
          { class: 'segments', role: 'radiogroup', 'aria-label': i18n.t('teams.hand.kind') },
          ...kinds,
        ),
      may && this.form,
      this.effect,
      this.past,
    );
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.send(true);
    });
    // What was shown is of other wishes then.
    this.form.addEventListener('input', () => {
      fill(this.effect);
      clearFaults(this.form);
    });
    this.renderForm();
    void desk.run(() => this.renderPast());
  }

  private renderForm(): void {
    const { i18n } = this.desk.workspace.context;
    fill(this.effect);
    fill(
      this.form,
      ...(this.kind === 'leaver' ? this.leaver() : this.grid()),
      field('handover', i18n.t('teams.hand.date'), h('input', { type: 'date', name: 'effective_at' })),
      field(
        'handover',
        i18n.t('teams.hand.reason'),
        h('input', { type: 'text', name: 'reason', required: true, maxlength: 500 }),
      ),
      this.kind === 'grid' &&
        h(
          'label',
          { class: 'row' },
          h('input', { type: 'checkbox', name: 'publish' }),
          h('span', {}, i18n.t('teams.hand.publish')),
        ),
      h('div', {}, h('button', { type: 'submit', class: 'primary' }, i18n.t('teams.hand.try'))),
    );
  }

  private leaver(): HTMLElement[] {
    const { i18n } = this.desk.workspace.context;
    const { roster } = this.desk;
    const members = new Set(roster.members.map(({ person }) => person));
    const teams = teamNames(roster);
    const places = (id: string): string =>
      roster.members
        .filter(({ person }) => person === id)
        .map(({ team, role }) => `${teams.get(team) ?? team} ${nameOfRole(role, i18n)}`)
        .join(', ');
    const all: Option[] = roster.people.map(({ id, name }) => [id, name]);
    const leavers = roster.people
      .filter(({ id }) => members.has(id))
      .map(({ id, name }): Option => [id, `${name} (${places(id)})`]);
    const nobody: Option = ['', i18n.t('teams.hand.nobody')];
    return [
      field('handover', i18n.t('teams.hand.person'), select('person', leavers)),
      field('handover', i18n.t('teams.hand.successor'), select('successor', [nobody, ...all])),
      field('handover', i18n.t('teams.hand.from'), h('input', { type: 'date', name: 'from' })),
      field('handover', i18n.t('teams.hand.acting'), select('acting', [nobody, ...all])),
    ];
  }

  private grid(): HTMLElement[] {
    const { i18n } = this.desk.workspace.context;
    const board = this.desk.workspace.board as Board;
    const grids = shownGrids(board).map((grid): Option => [
      grid.code,
      [grid.code, grid.name, teamName(grid)].filter(Boolean).join(' · '),
    ]);
    const teams = this.desk.roster.teams.map(({ id, name }): Option => [id, name]);
    return [
      field('handover', i18n.t('teams.hand.which'), select('grid', grids)),
      field('handover', i18n.t('teams.to'), select('team', teams)),
    ];
  }

  private wish(dry: boolean): Record<string, unknown> {
    const given = new FormData(this.form);
    const text = (name: string): string | null => String(given.get(name) ?? '').trim() || null;
    const common = {
      kind: this.kind,
      reason: text('reason') ?? '',
      effective_at: text('effective_at'),
      dry_run: dry,
    };
    if (this.kind === 'grid')
      return { ...common, grid: text('grid'), team: text('team'), publish: given.has('publish') };
    const heir = { person: text('successor'), from: text('from'), acting: text('acting') };
    return {
      ...common,
      person: text('person'),
      successors: heir.person === null ? [] : [heir],
      base_roster: this.desk.roster.roster,
    };
  }

  private send(dry: boolean): Promise<void> {
    const { workspace, teams, run, say } = this.desk;
    const { i18n } = workspace.context;
    fill(this.effect);
    clearFaults(this.form);
    return run(async () => {
      const told = await this.told(teams.handOver(workspace.territory?.id ?? '', this.wish(dry)));
      if (!told) return;
      if (dry) {
        this.show(told);
        return;
      }
      const draft = told.kind === 'grid' && told.state === 'draft';
      const refused = [told.refused?.detail, told.refused?.cure].filter(Boolean).join(' ');
      await this.renderPast();
      say([i18n.t(draft ? 'teams.hand.draft' : 'teams.hand.done'), refused].filter(Boolean).join(' '));
    });
  }

  /** The answer; null where the service refused something, which stands at its field then. */
  private async told(answer: Promise<Handover>): Promise<Handover | null> {
    try {
      return await answer;
    } catch (error) {
      if (tellFault(this.form, error, FIELDS, this.desk.workspace.context.i18n)) return null;
      throw error;
    }
  }

  private show(told: Handover): void {
    const { i18n } = this.desk.workspace.context;
    fill(
      this.effect,
      h(
        'div',
        { class: 'team-effect' },
        h('h3', {}, i18n.t('teams.hand.effect')),
        effectOf(told, this.desk),
        h(
          'button',
          { type: 'button', class: 'primary', onclick: () => void this.send(false) },
          i18n.t('teams.hand.do'),
        ),
      ),
    );
    this.effect.scrollIntoView({ block: 'nearest' });
  }

  private async renderPast(): Promise<void> {
    const { workspace, teams, roster } = this.desk;
    const { i18n, format } = workspace.context;
    const items = await teams.handovers(workspace.territory?.id ?? '');
    const people = personNames(roster);
    const what = (item: Handover): string =>
      item.kind === 'grid'
        ? i18n.t('teams.hand.moves', gridWords(item, this.desk))
        : i18n.t('teams.hand.leaves', { person: people.get(item.person ?? '') ?? item.person ?? '' });
    const pack = (item: Handover): HTMLElement | null =>
      item.grid === null
        ? null
        : h(
            'a',
            {
              target: '_blank',
              rel: 'noopener',
              href: addressOf(
                `/v1/territories/${encodeURIComponent(workspace.territory?.id ?? '')}/grids/${encodeURIComponent(item.grid)}/pack`,
                { format: 'html', handover: item.id, lang: i18n.language },
              ),
            },
            i18n.t('teams.hand.pack'),
          );
    const zone = workspace.territory?.time_zone ?? 'UTC';
    const draft = (item: Handover): HTMLElement | null =>
      item.state !== 'draft' || item.plan === null
        ? null
        : h(
            'button',
            {
              type: 'button',
              class: 'plain small',
              onclick: () => void this.desk.run(() => workspace.showPlan(item.plan ?? '')),
            },
            i18n.t('teams.hand.show'),
          );
    const row = (item: Handover): HTMLElement =>
      h(
        'li',
        {},
        h('span', { class: 'tag' }, i18n.t(`teams.hand.state.${item.state}`)),
        what(item),
        h('span', { class: 'second' }, `${format.date(item.effective_at, zone)} · ${item.reason}`),
        h('span', { class: 'row' }, pack(item), draft(item)),
      );
    const list = (title: Key, some: readonly Handover[]): HTMLElement =>
      h(
        'section',
        {},
        h('h3', { class: 'teams-past' }, i18n.t(title)),
        some.length === 0
          ? h('p', { class: 'muted' }, i18n.t('teams.hand.none'))
          : h('ul', { class: 'history' }, ...some.map(row)),
      );
    const runs = ({ state }: Handover): boolean => RUNNING.includes(state);
    fill(
      this.past,
      list('teams.hand.running', items.filter(runs)),
      list(
        'teams.hand.past',
        items.filter((item) => !runs(item)),
      ),
    );
  }
}

/** Words of a grid which goes to another team. */
export function gridWords(item: Handover, { workspace, roster }: Desk): Record<string, string> {
  const teams = teamNames(roster);
  const name = (id: string | undefined): string => teams.get(id ?? '') ?? id ?? '';
  return {
    grid: item.grid ?? '',
    before: name(item.effect.team_before),
    after: name(item.effect.team_after),
    date: workspace.context.format.date(item.effective_at, workspace.territory?.time_zone ?? 'UTC'),
  };
}
