/** Making a plan: from scratch, or from the one on the map; what is clicked on the map goes into the form. */
import { fill, h } from '../../dom.ts';
import type { Place } from '../../stage.ts';
import type { Workspace } from '../../workspace.ts';
import { Sketch } from '../begin/sketch.ts';
import { BarriersField } from './barriers.ts';
import { SolveForm } from './form.ts';
import { Locks } from './locks.ts';
import { pointsOf, type Realignment, type Tiling, type Wish } from './solving.ts';

const KINDS = ['solve', 'realign'] as const;
export type Picking = 'grid' | 'cell' | 'seed';

export interface Making {
  solve(wish: Wish): void;
  realign(wish: Realignment): void;
  work(work: () => Promise<void>): Promise<void>;
}

export class Maker {
  readonly root = h('div', {});
  private kind: (typeof KINDS)[number] = 'solve';
  private picking: Picking | null = null;
  /** What the form at hand was made for. */
  private made = '';
  private form: SolveForm | null = null;
  private readonly lines: Sketch;
  private readonly points: Sketch;
  private readonly locks: Locks;
  private readonly barriers: BarriersField;

  constructor(
    private readonly workspace: Workspace,
    private readonly making: Making,
  ) {
    const { stage } = workspace;
    this.lines = new Sketch(stage);
    this.points = new Sketch(stage);
    this.locks = new Locks(workspace, { now: () => this.picking, toggle: (what) => this.pickNow(what) });
    this.barriers = new BarriersField(workspace, this.lines, making.work);
  }

  /** What is written in the form stays there as long as it asks for the same. */
  render(tilings: readonly Tiling[]): void {
    const { board, context } = this.workspace;
    const { i18n } = context;
    if (!board) this.kind = 'solve';
    const made = [i18n.language, this.kind, ...tilings.map(({ id }) => id)].join();
    if (made === this.made) {
      this.root
        .querySelector<HTMLInputElement>('.segment:last-child input')
        ?.toggleAttribute('disabled', !board);
      this.locks.render(this.form?.chosen ?? board?.subject.plan.tiling ?? null);
      return;
    }
    this.made = made;
    this.picking = null;
    const kinds = KINDS.map((kind) =>
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
            this.render(tilings);
            this.root.querySelector<HTMLElement>('.segments input:checked')?.focus();
          },
        }),
        h('span', {}, i18n.t(`plans.kind.${kind}`)),
      ),
    );
    const form = this.kind === 'realign' ? this.realignForm() : this.solveForm(tilings);
    fill(this.root, h('div', { class: 'segments' }, ...kinds), form);
  }

  /** A click on the map, if the form waits for one. */
  pick({ lon, lat, row }: Place): boolean {
    if (this.picking === null) return false;
    if (this.picking === 'seed') this.form?.addSeed(lon, lat);
    else if (row >= 0) this.locks.pick(row, this.picking);
    return true;
  }

  stop(): void {
    this.lines.remove();
    this.points.remove();
    void this.workspace.stage?.mark(null);
  }

  private pickNow(what: Picking): void {
    this.picking = this.picking === what ? null : what;
    this.locks.render();
    this.form?.picking(this.picking === 'seed');
  }

  private solveForm(tilings: readonly Tiling[]): HTMLElement {
    const { board } = this.workspace;
    this.form = new SolveForm(tilings, this.workspace, {
      locks: this.locks,
      barriers: this.barriers,
      pickSeeds: () => this.pickNow('seed'),
      seeds: (text) => void this.points.show(pointsOf(text).map(pointOf)),
      chosen: (tiling) => this.locks.render(tiling),
      start: (wish) => this.making.solve(wish),
      work: this.making.work,
    });
    this.barriers.render();
    this.form.choose(board?.subject.plan.tiling ?? null);
    return this.form.root;
  }

  private realignForm(): HTMLElement {
    const { i18n } = this.workspace.context;
    this.form = null;
    this.points.clear();
    const name = h('input', { type: 'text', maxlength: 200 });
    const share = h('input', { type: 'number', min: 0, max: 100, step: 0.5, value: 10 });
    const several = h('input', { type: 'checkbox', checked: true });
    this.locks.render(this.workspace.board?.subject.plan.tiling ?? null);
    return h(
      'form',
      {
        class: 'form',
        onsubmit: (event: Event) => {
          event.preventDefault();
          this.making.realign({
            name: name.value.trim(),
            percent: Number(share.value),
            choices: several.checked,
            locks: this.locks.wanted(),
          });
        },
      },
      h('label', { class: 'field' }, h('span', {}, i18n.t('plans.name')), name),
      h('label', { class: 'field' }, h('span', {}, i18n.t('plans.keep')), share),
      h('label', { class: 'small' }, several, ` ${i18n.t('plans.choices')}`),
      h('details', {}, h('summary', {}, i18n.t('plans.more')), this.locks.root),
      h('button', { type: 'submit', class: 'primary' }, i18n.t('plans.start')),
    );
  }
}

function pointOf({ lon, lat }: { lon: number; lat: number }): {
  geometry: { type: 'Point'; coordinates: [number, number] };
} {
  return { geometry: { type: 'Point', coordinates: [lon, lat] } };
}
