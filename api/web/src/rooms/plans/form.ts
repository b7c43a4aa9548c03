/** What to solve, asked as a planner would say it. */
import type { Context } from '../../context.ts';
import { fill, h } from '../../dom.ts';
import type { TerritoryDetail } from '../../api.ts';
import type { MeasureWish, Tiling, Wish } from './solving.ts';

/** Measures which are balanced unless somebody says otherwise. */
const MOST_AT_FIRST = 2;

/** The columns a tiling's grids may be kept within, as far as the page knows them. */
export interface FormInput {
  tilings: readonly Tiling[];
  columns: readonly string[];
}

export function solveForm(
  { tilings, columns }: FormInput,
  territory: TerritoryDetail,
  context: Context,
  start: (wish: Wish) => void,
): HTMLFormElement {
  const { i18n, format } = context;
  const tiling = h('select', { name: 'tiling', onchange: () => measures() });
  for (const { id, cells, kind, resolution } of tilings) {
    const what = resolution === null ? kind : `${kind} ${resolution}`;
    const words = i18n.t('plans.tiling.one', { n: format.number(cells), kind: what });
    tiling.append(h('option', { value: id }, words));
  }
  const name = h('input', { type: 'text', name: 'name', maxlength: 200 });
  const grids = h('input', { type: 'number', name: 'grids', min: 1, max: 20000, value: 30 });
  const auto = h('input', {
    type: 'checkbox',
    onchange: () => {
      grids.disabled = auto.checked;
      list.classList.toggle('with-capacity', auto.checked);
    },
  });
  const list = h('div', { class: 'measure-list' });
  const chosen = (): Tiling | undefined => tilings.find(({ id }) => id === tiling.value);
  const measures = (): void => {
    const names = Object.keys(chosen()?.measures ?? {});
    fill(list, ...names.map((each, i) => measureRow(each, i < MOST_AT_FIRST, territory, context)));
  };
  measures();
  const nest = h('select', { name: 'nest' }, h('option', { value: '' }, i18n.t('plans.nest.none')));
  for (const column of columns) nest.append(h('option', { value: column }, column));
  const large = h('input', { type: 'checkbox', name: 'large' });
  const compactness = h('input', {
    type: 'range',
    min: 0,
    max: 100,
    value: 50,
    'aria-label': i18n.t('plans.compactness'),
  });
  const seeds = h('textarea', { rows: 3, placeholder: '112.93, 28.61' });
  const seconds = h('input', { type: 'number', min: 1, max: 3600 });
  const seed = h('input', { type: 'number', min: 0, max: 4294967295, value: 1 });
  const wish = (): Wish => ({
    tiling: tiling.value,
    name: name.value.trim(),
    grids: auto.checked ? null : Number(grids.value),
    measures: [...list.querySelectorAll<HTMLElement>('.measure')].flatMap((row) => measureOf(row)),
    nest: nest.value || null,
    carveLarge: large.checked,
    compactness: Number(compactness.value),
    seeds: seeds.value,
    seconds: seconds.value ? Number(seconds.value) : null,
    seed: Number(seed.value),
  });
  return h(
    'form',
    {
      class: 'form',
      onsubmit: (event: Event) => {
        event.preventDefault();
        start(wish());
      },
    },
    field(i18n.t('plans.tiling'), tiling),
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
    h(
      'details',
      {},
      h('summary', {}, i18n.t('plans.more')),
      h(
        'div',
        { class: 'stack' },
        columns.length > 0 && field(i18n.t('plans.nest'), nest),
        h('label', { class: 'small' }, large, ` ${i18n.t('plans.large')}`),
        field(i18n.t('plans.seeds'), seeds),
        field(i18n.t('plans.limit'), seconds),
        field(i18n.t('plans.seed'), seed),
      ),
    ),
    h('button', { type: 'submit', class: 'primary' }, i18n.t('plans.start')),
  );
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
