/** Data in and out: layers as files, customers and teams from files, with a verdict for each row. */
import './data.css';
import { ApiError } from '../../api.ts';
import { describeError } from '../../answer.ts';
import { fill, h } from '../../dom.ts';
import type { Room, Workspace } from '../../workspace.ts';
import { customersDialog } from './customers.ts';
import { exportDialog } from './export.ts';
import type { Desk, Dialog } from './parts.ts';
import { rosterDialog } from './roster.ts';

const DIALOGS = ['export', 'customers', 'roster'] as const;
type Name = (typeof DIALOGS)[number];

export class DataRoom implements Room {
  private readonly told = h('div', { role: 'status' });
  private readonly body = h('div', {});
  private readonly ends: (() => void)[];
  private panel: HTMLElement | null = null;
  private name: Name = 'export';
  private dialog: Dialog | null = null;
  private turn = 0;
  private busy = false;

  constructor(private readonly workspace: Workspace) {
    this.ends = [
      workspace.on('territory', () => void this.renderDialog()),
      // Imports reload the board themselves, and what they tell must stay.
      workspace.on('board', () => {
        if (this.name === 'export') void this.renderDialog();
      }),
    ];
  }

  render(panel: HTMLElement): void {
    this.panel = panel;
    const { i18n } = this.workspace.context;
    const choices = DIALOGS.map((name) =>
      h(
        'label',
        { class: 'segment' },
        h('input', {
          type: 'radio',
          name: 'data-what',
          checked: name === this.name,
          onchange: () => {
            this.name = name;
            void this.renderDialog();
          },
        }),
        h('span', {}, i18n.t(`data.what.${name}`)),
      ),
    );
    fill(
      panel,
      h(
        'div',
        { class: 'data-room' },
        h('h2', {}, i18n.t('room.data')),
        h('div', { class: 'segments', role: 'radiogroup', 'aria-label': i18n.t('data.what') }, ...choices),
        this.told,
        this.body,
      ),
    );
    void this.renderDialog();
  }

  stop(): void {
    this.turn++;
    this.dialog?.stop?.();
    for (const end of this.ends) end();
  }

  private async renderDialog(): Promise<void> {
    if (!this.panel) return;
    const turn = ++this.turn;
    this.dialog?.stop?.();
    this.dialog = null;
    fill(this.told);
    await this.read(async () => {
      const dialog = await this.make();
      if (turn !== this.turn) {
        dialog?.stop?.();
        return;
      }
      this.dialog = dialog;
      const nothing = h('p', { class: 'muted' }, this.workspace.context.i18n.t('data.noBoard'));
      fill(this.body, dialog?.root ?? nothing);
    });
  }

  private async make(): Promise<Dialog | null> {
    const { territory, board } = this.workspace;
    const desk: Desk = { workspace: this.workspace, run: (work) => this.run(work) };
    if (!territory) return null;
    if (this.name === 'customers') return customersDialog(desk, territory.id);
    if (this.name === 'roster') return rosterDialog(desk, territory.id);
    return board && exportDialog(desk, board);
  }

  private async run(work: () => Promise<unknown>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    fill(this.told, h('p', {}, this.workspace.context.i18n.t('data.busy')));
    try {
      await this.read(async () => {
        await work();
        fill(this.told);
      });
    } finally {
      this.busy = false;
    }
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
