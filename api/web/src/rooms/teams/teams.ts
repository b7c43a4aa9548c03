/** Teams: who is in them, which grids they have, what they carry, and how they are handed over. */
import './teams.css';
import { ApiError, type Roster } from '../../api.ts';
import { describeError } from '../../answer.ts';
import { fill, h } from '../../dom.ts';
import type { Place } from '../../stage.ts';
import type { Room, Workspace } from '../../workspace.ts';
import { Teams } from './api.ts';
import { AssignView } from './assign.ts';
import { HandoverView } from './handover.ts';
import { loadsView } from './loads.ts';
import { peopleView } from './people.ts';
import { scoresView } from './scores.ts';
import type { Desk, View } from './view.ts';

const VIEWS = ['assign', 'loads', 'people', 'scores', 'handover'] as const;
type Name = (typeof VIEWS)[number];

export class TeamsRoom implements Room {
  private readonly teams: Teams;
  private readonly told = h('div', { role: 'status' });
  private readonly body = h('div', {});
  private readonly ends: (() => void)[];
  private readonly modeBefore: Workspace['mode'];
  private panel: HTMLElement | null = null;
  private name: Name = 'assign';
  private view: View | null = null;
  private turn = 0;
  private busy = false;

  constructor(private readonly workspace: Workspace) {
    this.teams = new Teams(workspace.context.api);
    this.modeBefore = workspace.mode;
    this.ends = [workspace.on('board', () => void this.renderView())];
    workspace.colourBy('team', workspace.measure);
  }

  render(panel: HTMLElement): void {
    this.panel = panel;
    const { i18n } = this.workspace.context;
    const choices = VIEWS.map((name) =>
      h(
        'label',
        { class: 'segment' },
        h('input', {
          type: 'radio',
          name: 'teams-view',
          checked: name === this.name,
          onchange: () => {
            this.name = name;
            fill(this.told);
            // What is shown so far is not what was asked for.
            fill(this.body, h('p', { class: 'muted' }, i18n.t('teams.busy')));
            void this.renderView();
          },
        }),
        h('span', {}, i18n.t(`teams.view.${name}`)),
      ),
    );
    fill(
      panel,
      h(
        'div',
        { class: 'teams-room' },
        h('h2', {}, i18n.t('room.teams')),
        h(
          'div',
          { class: 'segments teams-views', role: 'radiogroup', 'aria-label': i18n.t('teams.view') },
          ...choices,
        ),
        this.told,
        this.body,
      ),
    );
    void this.renderView();
  }

  stop(): void {
    this.view?.stop?.();
    for (const end of this.ends) end();
    this.turn++;
    const { workspace } = this;
    void workspace.preview(null).then(() => workspace.colourBy(this.modeBefore, workspace.measure));
  }

  pick(place: Place): boolean {
    return this.view?.pick?.(place) ?? false;
  }

  private async renderView(): Promise<void> {
    if (!this.panel) return;
    const turn = ++this.turn;
    const { territory, board, context } = this.workspace;
    this.view?.stop?.();
    this.view = null;
    if (!territory || !board) {
      fill(this.body, h('p', { class: 'muted' }, context.i18n.t('teams.noBoard')));
      return;
    }
    await this.read(async () => {
      const roster = await context.api.roster(territory.id);
      const view = roster && (await this.make(roster));
      if (turn !== this.turn) {
        view?.stop?.();
        return;
      }
      this.view = view;
      fill(this.body, view?.root ?? h('p', { class: 'muted' }, context.i18n.t('teams.noRoster')));
    });
  }

  private async make(roster: Roster): Promise<View> {
    const desk: Desk = {
      workspace: this.workspace,
      teams: this.teams,
      roster,
      run: (work) => this.run(work),
      say: (text, more) => this.say(text, more),
    };
    switch (this.name) {
      case 'assign':
        return new AssignView(desk);
      case 'loads':
        return loadsView(desk);
      case 'people':
        return peopleView(desk);
      case 'scores':
        return scoresView(desk);
      case 'handover':
        return new HandoverView(desk);
    }
  }

  private say(text: string, more: HTMLElement | null = null): void {
    fill(this.told, h('p', { class: 'teams-told' }, text, more));
  }

  private async run(work: () => Promise<unknown>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.say(this.workspace.context.i18n.t('teams.busy'));
    try {
      await this.read(async () => {
        await work();
        if (this.told.textContent === this.workspace.context.i18n.t('teams.busy')) fill(this.told);
      });
    } finally {
      this.busy = false;
      // What had the focus may be gone: the keyboard goes on in this room.
      if (document.activeElement === document.body) this.panel?.focus({ preventScroll: true });
    }
  }

  private async read(work: () => Promise<unknown>): Promise<void> {
    const { context } = this.workspace;
    try {
      await work();
    } catch (error) {
      const stale =
        error instanceof ApiError && (error.status === 412 || error.more['field'] === 'base_roster');
      fill(
        this.told,
        describeError(error, context),
        stale &&
          h(
            'button',
            { type: 'button', class: 'plain', onclick: () => void this.run(() => this.workspace.reload()) },
            context.i18n.t('teams.reload'),
          ),
      );
      if (!(error instanceof ApiError)) throw error;
    }
  }
}
