/** The three doors to a first plan, and the steps behind them. */
import './begin.css';
import { ApiError } from '../../api.ts';
import { describeError } from '../../answer.ts';
import { fill, h } from '../../dom.ts';
import type { Place } from '../../stage.ts';
import type { Workspace } from '../../workspace.ts';
import type { Job, Tiling } from '../plans/solving.ts';
import { AdoptStep } from './adopt.ts';
import { Beginning, type Imported, type Told } from './api.ts';
import { CustomersStep, importedWords } from './customers.ts';
import { progressOf } from './parts.ts';
import { Sketch } from './sketch.ts';
import { TerritoryStep } from './territory.ts';
import { TilingStep, tilingWords } from './tiling.ts';

export interface Step {
  render(root: HTMLElement): void;
  pick?(place: Place): boolean;
}

const DOORS = ['grids', 'scratch', 'sample'] as const;
type DoorId = (typeof DOORS)[number];

const STEPS = {
  grids: ['territory', 'tiling', 'customers', 'adopt'],
  scratch: ['territory', 'tiling', 'customers', 'solve'],
} as const;
type StepId = (typeof STEPS)['grids' | 'scratch'][number];

/** Territory which `gridsvc demo` makes. */
const SAMPLE = 'sample-county';

export class Begin {
  readonly root = h('div', { class: 'begin' });
  private readonly sketch: Sketch;
  private readonly steps: Partial<Record<StepId, Step>>;
  private readonly told = h('div', { role: 'status' });
  private readonly body = h('div', { class: 'step' });
  private door: DoorId | null = null;
  private at = 0;
  private tiling: Tiling | null = null;
  private imported: Imported | null = null;

  /**
   * @param changed a door was opened or left; with the cells to go on with, if they were settled.
   */
  constructor(
    private readonly workspace: Workspace,
    private readonly changed: (tiling: Tiling | null) => void,
  ) {
    const beginning = new Beginning(workspace.context.api);
    const work = (todo: (told: Told) => Promise<void>): Promise<void> => this.work(todo);
    this.sketch = new Sketch(workspace.stage);
    this.steps = {
      territory: new TerritoryStep(workspace, beginning, this.sketch, work, (id) => this.found(id)),
      tiling: new TilingStep(workspace, beginning, work, (tiling) => {
        this.tiling = tiling;
        this.go(this.at + 1);
      }),
      customers: new CustomersStep(
        workspace,
        beginning,
        () => this.tiling,
        work,
        (imported) => {
          this.imported = imported;
          this.go(this.at + 1);
        },
      ),
      adopt: new AdoptStep(
        workspace,
        beginning,
        this.sketch,
        () => this.tiling,
        work,
        () => this.leave(),
      ),
      solve: { render: (root) => this.renderSolve(root) },
    };
  }

  /** Whether somebody is behind one of the doors. */
  get busy(): boolean {
    return this.door !== null;
  }

  stop(): void {
    this.sketch.remove();
  }

  pick(place: Place): boolean {
    return this.step()?.pick?.(place) ?? false;
  }

  render(): void {
    const { i18n } = this.workspace.context;
    if (this.door === null) {
      fill(
        this.root,
        h('h2', {}, i18n.t('begin.title')),
        h('p', { class: 'muted' }, i18n.t('begin.lead')),
        h('div', { class: 'doors' }, ...DOORS.map((door) => this.doorButton(door))),
        this.told,
      );
      return;
    }
    const back = h(
      'button',
      { type: 'button', class: 'plain', onclick: () => this.leave() },
      i18n.t('begin.back'),
    );
    const title = h('h2', { tabindex: -1 }, i18n.t(`begin.door.${this.door}`));
    if (this.door === 'sample') {
      fill(this.root, title, this.sample(), back);
      return;
    }
    fill(this.root, title, this.trail(), this.body, this.told, back);
    this.step()?.render(this.body);
  }

  private doorButton(door: DoorId): HTMLElement {
    const { i18n } = this.workspace.context;
    return h(
      'button',
      { type: 'button', class: 'door', onclick: () => void this.enter(door) },
      h('strong', {}, i18n.t(`begin.door.${door}`)),
      h('span', { class: 'second' }, i18n.t(`begin.door.${door}.text`)),
    );
  }

  private async enter(door: DoorId): Promise<void> {
    fill(this.told);
    if (door === 'sample' && this.workspace.territories.some(({ id }) => id === SAMPLE)) {
      await this.work(() => this.workspace.open(SAMPLE));
      return;
    }
    this.door = door;
    this.at = 0;
    this.changed(null);
    this.root.querySelector<HTMLElement>('h2')?.focus();
  }

  private leave(): void {
    const { tiling } = this;
    this.door = null;
    this.tiling = null;
    this.imported = null;
    this.sketch.clear();
    fill(this.told);
    this.changed(tiling);
  }

  private step(): Step | undefined {
    if (this.door === null || this.door === 'sample') return undefined;
    const id = STEPS[this.door][this.at];
    return id && this.steps[id];
  }

  private async found(territory: string): Promise<void> {
    this.at = 1;
    this.sketch.clear();
    if (territory !== this.workspace.territory?.id) {
      await this.workspace.loadTerritories();
      await this.workspace.open(territory);
    }
    this.go(1);
  }

  private go(at: number): void {
    this.at = at;
    fill(this.told);
    this.render();
    this.root.querySelector<HTMLElement>('[aria-current=step]')?.focus();
  }

  /** The steps, with what was settled in those done. */
  private trail(): HTMLElement {
    const { i18n } = this.workspace.context;
    const settled: Partial<Record<StepId, () => string>> = {
      territory: () => this.workspace.territory?.name ?? '',
      tiling: () => (this.tiling ? tilingWords(this.tiling, this.workspace) : ''),
      customers: () => this.customersWords(),
    };
    const ids: readonly StepId[] = this.door === 'grids' ? STEPS.grids : STEPS.scratch;
    return h(
      'ol',
      { class: 'trail' },
      ...ids.map((id, i) => {
        const now = i === this.at;
        return h(
          'li',
          {
            'aria-current': now ? 'step' : null,
            tabindex: now ? -1 : null,
            class: i < this.at ? 'past' : null,
          },
          h('strong', {}, i18n.t(`begin.step.${id}`)),
          i < this.at && ` ${settled[id]?.() ?? ''} `,
          i < this.at &&
            h(
              'button',
              {
                type: 'button',
                class: 'link',
                'aria-label': `${i18n.t('begin.change')}: ${i18n.t(`begin.step.${id}`)}`,
                onclick: () => this.go(i),
              },
              i18n.t('begin.change'),
            ),
        );
      }),
    );
  }

  private customersWords(): string {
    const { i18n, format } = this.workspace.context;
    const { imported } = this;
    if (!imported) return i18n.t(this.tiling?.customers ? 'begin.customers.live' : 'begin.customers.none');
    return `${format.number(imported.placed)} (${format.percent(imported.placement_rate)})`;
  }

  private renderSolve(root: HTMLElement): void {
    const { i18n } = this.workspace.context;
    const measured = this.imported !== null || Object.keys(this.tiling?.measures ?? {}).length > 0;
    fill(
      root,
      this.imported && importedWords(this.imported, this.workspace),
      h('p', {}, i18n.t(measured ? 'begin.solve.text' : 'begin.solve.measure')),
      measured &&
        h('button', { type: 'button', class: 'primary', onclick: () => this.leave() }, i18n.t('begin.next')),
    );
  }

  private sample(): HTMLElement {
    const { i18n } = this.workspace.context;
    return h(
      'div',
      { class: 'stack' },
      h('p', {}, i18n.t('begin.sample.none')),
      h('p', {}, h('code', {}, 'gridsvc demo')),
      h('p', {}, i18n.t('begin.sample.then')),
    );
  }

  /** Do something which may take a while or fail, and tell of it. */
  private async work(todo: (told: Told) => Promise<unknown>): Promise<void> {
    const { context } = this.workspace;
    fill(this.told);
    try {
      await todo((job: Job) => fill(this.told, progressOf(job, context)));
      this.told.querySelector('.progress')?.remove();
    } catch (error) {
      fill(this.told, describeError(error, context));
      if (!(error instanceof ApiError)) throw error;
    }
  }
}
