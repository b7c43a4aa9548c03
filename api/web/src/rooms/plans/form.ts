/** What to solve, asked as a planner would say it. */
import type { TerritoryDetail } from '../../api.ts';
import type { Context } from '../../context.ts';
import { fill, h } from '../../dom.ts';
import type { Workspace } from '../../workspace.ts';
import { tilingWords } from '../begin/tiling.ts';
import type { BarriersField } from './barriers.ts';
import type { Locks } from './locks.ts';
import type { MeasureWish, Tiling, Wish } from './solving.ts';

/** Measures which are balanced unless somebody says otherwise. */
const MOST_AT_FIRST = 2;

export interface Around {
  locks: Locks;
  barriers: BarriersField;
  /** Begin or end to pick seeds on the map. */
  pickSeeds(): void;
  seeds(text: string): void;
  chosen(tiling: string): void;
  start(wish: Wish): void;
  work(work: () => Promise<void>): Promise<void>;
}

export class SolveForm {
  readonly root: HTMLFormElement;
  private readonly tiling: HTMLSelectElement;
  private readonly list = h('div', { class: 'measure-list' });
  private readonly nest: HTMLSelectElement;
  private readonly nesting: HTMLElement;
  private readonly seeds: HTMLTextAreaElement;
  private readonly seedButton: HTMLButtonElement;
  private readonly hint: HTMLElement;

  constructor(
    private readonly tilings: readonly Tiling[],
    private readonly workspace: Workspace,
    private readonly around: Around,
  ) {
    const { i18n } = workspace.context;
    this.tiling = h('select', { name: 'tiling', onchange: () => this.changed() });
    for (const each of tilings) {
      this.tiling.append(h('option', { value: each.id }, tilingWords(each, workspace)));
    }
    this.nest = h('select', { name: 'nest' });
    this.nesting = field(i18n.t('plans.nest'), this.nest);
    this.seeds = h('textarea', {
      rows: 3,
      placeholder: '112.93, 28.61',
      oninput: () => around.seeds(this.seeds.value),
    });
    this.seedButton = h(
      'button',
      { type: 'button', class: 'plain', 'aria-pressed': 'false', onclick: () => around.pickSeeds() },
      i18n.t('plans.seeds.pick'),
    );
    this.hint = h('p', { class: 'small', hidden: true, role: 'status' }, i18n.t('plans.seeds.picking'));
    this.root = this.made();
  }

  /** Begin with these cells, where they can be chosen. */
  choose(tiling: string | null): void {
    if (tiling !== null && this.tilings.some(({ id }) => id === tiling)) this.tiling.value = tiling;
    this.changed();
    this.around.seeds(this.seeds.value);
  }

  get chosen(): string {
    return this.tiling.value;
  }

  addSeed(lon: number, lat: number): void {
    const line = `${lon.toFixed(5)}, ${lat.toFixed(5)}`;
    this.seeds.value = [...this.seeds.value.split('\n').filter(Boolean), line].join('\n');
    this.around.seeds(this.seeds.value);
  }

  /** Whether clicks on the map are seeds now. */
  picking(on: boolean): void {
    this.seedButton.setAttribute('aria-pressed', String(on));
    this.hint.hidden = !on;
  }

  private changed(): void {
    const { context, territory } = this.workspace;
    const tiling = this.tilings.find(({ id }) => id === this.tiling.value);
    const names = Object.keys(tiling?.measures ?? {});
    if (territory) {
      fill(this.list, ...names.map((each, i) => measureRow(each, i < MOST_AT_FIRST, territory, context)));
    }
    this.nesting.hidden = true;
    fill(this.nest);
    if (!tiling) return;
    this.around.chosen(tiling.id);
    void this.around.work(() => this.offerAreas(tiling.id));
  }

  /** Columns of the cells whose areas grids can be kept within. */
  private async offerAreas(tiling: string): Promise<void> {
    const { i18n, format } = this.workspace.context;
    const { columns } = await this.workspace.boards.ground(tiling);
    if (tiling !== this.tiling.value) return;
    const areas = Object.entries(columns.areas ?? {});
    this.nesting.hidden = areas.length === 0;
    fill(
      this.nest,
      h('option', { value: '' }, i18n.t('plans.nest.none')),
      ...areas.map(([column, n]) =>
        h('option', { value: column }, i18n.t('plans.nest.column', { column, n: format.number(n) })),
      ),
    );
  }

  private made(): HTMLFormElement {
    const { i18n } = this.workspace.context;
    const { around, list } = this;
    const name = h('input', { type: 'text', name: 'name', maxlength: 200 });
    const grids = h('input', {
      type: 'number',
      name: 'grids',
      min: 1,
      max: 20000,
      value: 30,
      required: true,
    });
    const auto = h('input', {
      type: 'checkbox',
      onchange: () => {
        grids.disabled = auto.checked;
        list.classList.toggle('with-capacity', auto.checked);
      },
    });
    const large = h('input', { type: 'checkbox', name: 'large' });
    const compactness = h('input', {
      type: 'range',
      min: 0,
      max: 100,
      value: 50,
      'aria-label': i18n.t('plans.compactness'),
    });
    const seconds = h('input', { type: 'number', min: 1, max: 3600 });
    const sweeps = h('input', { type: 'number', min: 1 });
    const seed = h('input', { type: 'number', min: 0, max: 4294967295, value: 1 });
    const wish = (): Wish => ({
      tiling: this.tiling.value,
      name: name.value.trim(),
      grids: auto.checked ? null : Number(grids.value),
      measures: [...list.querySelectorAll<HTMLElement>('.measure')].flatMap((row) => measureOf(row)),
      nest: this.nest.value || null,
      carveLarge: large.checked,
      compactness: Number(compactness.value),
      seeds: this.seeds.value,
      locks: around.locks.wanted(),
      barriers: around.barriers.layer,
      seconds: numberIn(seconds),
      sweeps: numberIn(sweeps),
      seed: Number(seed.value),
    });
    return h(
      'form',
      {
        class: 'form',
        onsubmit: (event: Event) => {
          event.preventDefault();
          around.start(wish());
        },
      },
      field(i18n.t('plans.tiling'), this.tiling),
      field(i18n.t('plans.name'), name),
      h(
        'div',
        { class: 'row' },
        h('label', {}, `${i18n.t('plans.grids')} `, grids),
        h('label', { class: 'small' }, auto, ` ${i18n.t('plans.grids.auto')}`),
      ),
      h('fieldset', {}, h('legend', {}, i18n.t('plans.measure')), list),
      h(
        'label',
        { class: 'row' },
        h('span', {}, i18n.t('plans.compactness')),
        h('span', { class: 'muted small' }, i18n.t('plans.compactness.balance')),
        compactness,
        h('span', { class: 'muted small' }, i18n.t('plans.compactness.shape')),
      ),
      this.nesting,
      h(
        'details',
        {},
        h('summary', {}, i18n.t('plans.more')),
        h(
          'div',
          { class: 'stack wide' },
          h('label', { class: 'small' }, large, ` ${i18n.t('plans.large')}`),
          field(i18n.t('plans.seeds'), this.seeds),
          h('div', {}, this.seedButton, this.hint),
          around.locks.root,
          around.barriers.root,
          field(i18n.t('plans.limit'), seconds),
          field(i18n.t('plans.sweeps'), sweeps),
          field(i18n.t('plans.seed'), seed),
        ),
      ),
      h('button', { type: 'submit', class: 'primary' }, i18n.t('plans.start')),
    );
  }
}

function numberIn(input: HTMLInputElement): number | null {
  return input.value ? Number(input.value) : null;
}

function field(label: string, input: HTMLElement): HTMLElement {
  return h('label', { class: 'field' }, h('span', {}, label), input);
}

function measureRow(
  name: string,
  checked: boolean,
  territory: TerritoryDetail,
  { i18n }: Context,
): HTMLElement {
  return h(
    'div',
    { class: 'measure row', 'data-name': name },
    h('label', {}, h('input', { type: 'checkbox', checked }), ` ${i18n.measure(name, territory)}`),
    h(
      'label',
      { class: 'small' },
      `${i18n.t('plans.tolerance')} `,
      h('input', { type: 'number', 'data-of': 'tolerance', min: 0.1, max: 99, step: 0.1, value: 10 }),
    ),
    h(
      'label',
      { class: 'small capacity' },
      `${i18n.t('plans.capacity')} `,
      h('input', { type: 'number', 'data-of': 'capacity', min: 1, step: 'any' }),
    ),
  );
}

function measureOf(row: HTMLElement): MeasureWish[] {
  const value = (of: string): string => row.querySelector<HTMLInputElement>(`[data-of="${of}"]`)?.value ?? '';
  if (!row.querySelector<HTMLInputElement>('[type=checkbox]')?.checked) return [];
  const capacity = value('capacity');
  return [
    {
      name: row.dataset['name'] ?? '',
      tolerance: Number(value('tolerance')) || 10,
      capacity: capacity ? Number(capacity) : null,
    },
  ];
}
