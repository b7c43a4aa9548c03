/** Grids to teams: by drag and drop, on the map, by keyboard, or by the service. */
import type { GridProperties } from '../../api.ts';
import { shownGrids, type Board } from '../../board.ts';
import { fill, h } from '../../dom.ts';
import type { Key } from '../../i18n.ts';
import { Mark } from '../../mesh/layer.ts';
import type { Place } from '../../stage.ts';
import { automatic, type AutomaticWish } from './automatic.ts';
import { teamBox, type Sum } from './box.ts';
import { capacityOf } from './carrying.ts';
import { Dealing, total } from './dealing.ts';
import { acceptTeams } from './drag.ts';
import { changeTeams, renderSaving, takeBack } from './saving.ts';
import { teamNames, type Desk, type View } from './view.ts';

export class AssignView implements View {
  readonly root = h('div', {});
  private readonly board: Board;
  private readonly dealing: Dealing;
  private readonly names: Map<string, string>;
  private readonly chosen = new Set<string>();
  private readonly list = h('ul', { class: 'team-list' });
  private readonly giving = h('div', { class: 'row' });
  private readonly saving = h('div', { class: 'row team-saving', role: 'status' });
  private readonly editable: boolean;
  private readonly endDrops: () => void;
  private measure: string;
  private to: string;

  constructor(private readonly desk: Desk) {
    const { board, measure, stage } = desk.workspace;
    this.board = board as Board;
    this.measure = this.board.measures.includes(measure) ? measure : (this.board.measures[0] ?? measure);
    this.dealing = new Dealing(shownGrids(this.board));
    this.names = teamNames(desk.roster);
    this.to = desk.roster.teams.find(({ id }) => id !== desk.roster.fallback)?.id ?? '';
    const { plan, publication } = this.board.subject;
    this.editable = publication === null && plan.status === 'draft' && desk.workspace.may('plans:write');
    if (this.editable) document.addEventListener('keydown', this.onKey);
    this.endDrops = this.editable
      ? acceptTeams(stage, this.board, (code, team) => this.give([code], team))
      : () => undefined;
    this.render();
  }

  stop(): void {
    this.endDrops();
    document.removeEventListener('keydown', this.onKey);
    const { workspace } = this.desk;
    if (this.dealing.size > 0 && workspace.board === this.board) void workspace.preview(null);
    void workspace.stage?.mark(null);
  }

  pick({ row }: Place): boolean {
    const grid = this.board.grids[this.board.labels[row] ?? -1];
    if (!grid || !this.editable) return false;
    this.toggle(grid.code);
    return true;
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    const undo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'z';
    const typing = event.target instanceof HTMLElement && event.target.matches('input[type=text], textarea');
    if (!undo || typing || !this.dealing.canUndo) return;
    event.preventDefault();
    this.undo();
  };

  private undo(): void {
    if (this.dealing.undo()) this.refresh();
  }

  private render(): void {
    const { i18n } = this.desk.workspace.context;
    const measures = h(
      'select',
      {
        'aria-label': i18n.t('teams.bars'),
        onchange: () => {
          this.measure = measures.value;
          this.renderList();
          this.renderSaving();
        },
      },
      ...this.board.measures.map((name) =>
        h(
          'option',
          { value: name, selected: name === this.measure },
          i18n.measure(name, this.board.territory),
        ),
      ),
    );
    fill(
      this.root,
      this.editable ? h('p', { class: 'muted small' }, i18n.t('teams.help')) : this.notEditable(),
      this.editable && this.giving,
      this.editable && automatic((wish) => void this.automatic(wish), this.desk.workspace.context),
      h('label', { class: 'row' }, h('span', {}, i18n.t('teams.bars')), measures),
      this.list,
      this.saving,
    );
    this.refresh();
  }

  private notEditable(): HTMLElement {
    const { i18n } = this.desk.workspace.context;
    const { plan, publication } = this.board.subject;
    if (!this.desk.workspace.may('plans:write')) return h('p', { class: 'muted' }, i18n.t('teams.mayNot'));
    if (!publication) {
      const status = i18n.t(`plan.status.${plan.status}` as Key);
      return h('p', { class: 'muted' }, i18n.t('teams.locked', { status }));
    }
    const start = async (): Promise<void> => {
      const name = i18n.t('teams.branch.name', { n: publication.n });
      const made = await this.desk.teams.branch(this.board, name);
      await this.desk.workspace.showPlan(made.id);
    };
    return h(
      'div',
      { class: 'stack' },
      h('p', {}, i18n.t('teams.published')),
      h(
        'button',
        { type: 'button', class: 'primary', onclick: () => void this.desk.run(start) },
        i18n.t('teams.branch'),
      ),
    );
  }

  private refresh(): void {
    this.renderGiving();
    this.renderList();
    this.renderSaving();
    void this.show();
  }

  /** The map as it would be, with the chosen grids marked. */
  private async show(): Promise<void> {
    const { workspace } = this.desk;
    if (workspace.board !== this.board) return;
    await workspace.preview(this.dealing.size ? this.dealing.shown(this.board, this.names) : null);
    await this.mark();
  }

  private async mark(): Promise<void> {
    const chosen = this.board.grids.map(({ code }) => this.chosen.has(code));
    const marks = Uint8Array.from(this.board.labels, (label) => (chosen[label] ? Mark.chosen : Mark.none));
    await this.desk.workspace.stage?.mark(marks);
  }

  private toggle(code: string): void {
    if (!this.chosen.delete(code)) this.chosen.add(code);
    for (const chip of this.list.querySelectorAll<HTMLElement>('[data-grid]')) {
      chip.setAttribute('aria-pressed', String(this.chosen.has(chip.dataset['grid'] ?? '')));
    }
    this.renderGiving();
    void this.mark();
  }

  private give(codes: Iterable<string>, team: string): void {
    this.dealing.give(codes, team);
    this.chosen.clear();
    this.refresh();
  }

  private renderGiving(): void {
    const { i18n } = this.desk.workspace.context;
    const to = h(
      'select',
      { 'aria-label': i18n.t('teams.to'), onchange: () => (this.to = to.value) },
      ...this.desk.roster.teams.map(({ id, name }) =>
        h('option', { value: id, selected: id === this.to }, name),
      ),
    );
    fill(
      this.giving,
      h('span', { role: 'status' }, i18n.t('teams.chosen', { n: this.chosen.size })),
      to,
      h(
        'button',
        {
          type: 'button',
          class: 'primary',
          disabled: this.chosen.size === 0,
          onclick: () => this.give([...this.chosen], to.value),
        },
        i18n.t('teams.give'),
      ),
    );
  }

  private renderList(): void {
    const held = this.dealing.byTeam();
    const { fallback } = this.desk.roster;
    const teams = this.desk.roster.teams.filter(({ id }) => id !== fallback || held.has(id));
    const sums = teams.map(({ id }) => total(held.get(id) ?? [], this.measure));
    const before = teams.map(({ id }) =>
      total(
        shownGrids(this.board).filter((grid) => grid.team === id),
        this.measure,
      ),
    );
    const room = teams.map(({ id }) => capacityOf(this.desk.roster, id, this.measure) ?? 0);
    const most = Math.max(...sums, ...before, ...room, 0);
    const rows = teams.map(({ id }, i) =>
      this.team(id, held.get(id) ?? [], { sums, most, now: sums[i] ?? 0, before: before[i] ?? 0 }),
    );
    const known = new Set(this.desk.roster.teams.map(({ id }) => id));
    const lost = [...held].filter(([id]) => id === null || !known.has(id)).flatMap(([, grids]) => grids);
    fill(this.list, lost.length > 0 && this.team(null, lost, null), ...rows);
  }

  private team(id: string | null, grids: GridProperties[], sum: Sum | null): HTMLElement {
    return teamBox({ id, grids, sum }, this.measure, this.dealing, this.desk, {
      editable: this.editable,
      isChosen: (code) => this.chosen.has(code),
      chosen: () => [...this.chosen],
      toggle: (code) => this.toggle(code),
      give: (codes, team) => this.give(codes, team),
    });
  }

  private renderSaving(): void {
    renderSaving(this.saving, this.dealing, this.board, this.measure, this.desk, {
      save: () => void this.save(),
      undo: () => this.undo(),
      discard: () => {
        this.dealing.clear();
        this.refresh();
      },
    });
  }

  private save(): Promise<void> {
    const { dealing, desk, board } = this;
    const back = takeBack(desk, board.subject.plan.id, dealing.former());
    const give = (): Promise<unknown> => desk.teams.give(board, dealing.wanted());
    return this.change(give, back);
  }

  private automatic({ today, hand }: AutomaticWish): Promise<void> {
    const { dealing, desk, board } = this;
    const pins = hand ? Object.entries(dealing.wanted()).map(([grid, team]) => ({ grid, team })) : [];
    return this.change(() => desk.teams.assign(board, { pins, today: today ? 'publication' : 'none' }), null);
  }

  private change(work: () => Promise<unknown>, back: HTMLElement | null): Promise<void> {
    const sent = async (): Promise<void> => {
      await work();
      this.dealing.clear();
      this.renderSaving();
    };
    return this.desk.run(() => changeTeams(this.desk, this.board, 'teams.saved', sent, back));
  }
}
