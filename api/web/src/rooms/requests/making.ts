/** The form of a new request: a move of cells painted on the map, a customer, or another lead. */
import type { Roster } from '../../api.ts';
import { shownGrids, type Board } from '../../board.ts';
import { fill, h } from '../../dom.ts';
import { Mark } from '../../mesh/layer.ts';
import type { Workspace } from '../../workspace.ts';
import { brushTool, type Strokes } from '../redraw/tools.ts';
import type { NewRequest, RequestLine } from './api.ts';

type Kind = RequestLine['kind'];
const KINDS: readonly Kind[] = ['move', 'customer', 'lead'];
const BRUSH = 26;

export class Making {
  private kind: Kind = 'move';
  private readonly chosen = new Set<number>();
  private readonly count = h('p', { class: 'muted small', 'aria-live': 'polite' });
  private readonly fields = h('div', { class: 'fields' });
  readonly root: HTMLElement;

  constructor(
    private readonly workspace: Workspace,
    private readonly board: Board,
    private readonly roster: Roster | null,
    private readonly send: (request: NewRequest) => void,
  ) {
    const { i18n } = workspace.context;
    const kinds = KINDS.map((kind) =>
      h(
        'label',
        { class: 'segment' },
        h('input', {
          type: 'radio',
          name: 'request-kind',
          checked: kind === this.kind,
          onchange: () => {
            this.kind = kind;
            this.renderFields();
          },
        }),
        h('span', {}, i18n.t(`requests.new.${kind}`)),
      ),
    );
    const reason = h('input', { type: 'text', required: true, maxlength: 2000 });
    this.root = h(
      'form',
      {
        class: 'form',
        onsubmit: (event: Event) => {
          event.preventDefault();
          this.send({
            ...this.asked(),
            territory: board.territory.id,
            kind: this.kind,
            reason: reason.value,
          });
        },
      },
      h(
        'div',
        { class: 'segments', role: 'radiogroup', 'aria-label': i18n.t('requests.new.kind') },
        ...kinds,
      ),
      this.fields,
      h('label', { class: 'field' }, h('span', {}, i18n.t('requests.new.reason')), reason),
      h('button', { type: 'submit', class: 'primary' }, i18n.t('requests.new.send')),
    );
    this.renderFields();
  }

  /** Give the map back. */
  stop(): void {
    this.workspace.stage?.use(null);
    void this.workspace.stage?.mark(null);
  }

  private renderFields(): void {
    const { i18n } = this.workspace.context;
    this.stop();
    const field = (label: string, input: HTMLElement): HTMLElement =>
      h('label', { class: 'field' }, h('span', {}, label), input);
    const select = (name: string, options: [string, string][]): HTMLElement =>
      h('select', { name, required: true }, ...options.map(([value, text]) => h('option', { value }, text)));
    const teams = (this.roster?.teams ?? []).map(({ id, name }): [string, string] => [id, name]);
    if (this.kind === 'move') {
      const grids = shownGrids(this.board).map((grid): [string, string] => [
        grid.code,
        `${grid.code} ${grid.name ?? ''}`,
      ]);
      fill(this.fields, this.count, field(i18n.t('requests.new.to'), select('to', grids)));
      this.takeBrush();
      this.renderCount();
    } else if (this.kind === 'customer') {
      const customer = h('input', { type: 'text', name: 'customer', required: true, autocomplete: 'off' });
      fill(
        this.fields,
        field(i18n.t('requests.new.id'), customer),
        field(i18n.t('requests.new.team'), select('team', teams)),
      );
    } else {
      const people = (this.roster?.people ?? []).map(({ id, name }): [string, string] => [id, name]);
      fill(
        this.fields,
        field(i18n.t('requests.new.team'), select('team', teams)),
        field(i18n.t('requests.new.person'), select('person', people)),
      );
    }
  }

  private takeBrush(): void {
    const strokes: Strokes = {
      finder: () => this.board.ground.finder,
      size: () => BRUSH,
      touch: (rows, alt) => {
        for (const row of rows) {
          if (alt) this.chosen.delete(row);
          else this.chosen.add(row);
        }
        this.renderCount();
      },
      end: () => undefined,
    };
    this.workspace.stage?.use(brushTool(strokes));
  }

  private renderCount(): void {
    const { i18n, format } = this.workspace.context;
    this.count.textContent = i18n.t('requests.new.paint', { n: format.number(this.chosen.size) });
    const marks = new Uint8Array(this.board.labels.length);
    for (const row of this.chosen) marks[row] = Mark.chosen;
    void this.workspace.stage?.mark(marks);
  }

  private asked(): Partial<NewRequest> {
    const values = Object.fromEntries(
      [...this.fields.querySelectorAll<HTMLInputElement | HTMLSelectElement>('[name]')].map((input) => [
        input.name,
        input.value,
      ]),
    );
    if (this.kind !== 'move') return values;
    const { plan, publication } = this.board.subject;
    return {
      ...values,
      line: plan.line,
      cells: [...this.chosen].map((row) => this.board.ground.columns.cells[row] ?? ''),
      ...(publication === null && plan.status === 'draft' ? { plan: plan.id } : {}),
    };
  }
}
