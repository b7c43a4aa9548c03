/** The third step: who lives where, with a verdict for each row. */
import { fill, h } from '../../dom.ts';
import type { Workspace } from '../../workspace.ts';
import type { Tiling } from '../plans/solving.ts';
import type { Beginning, Imported, Told } from './api.ts';
import type { Step } from './begin.ts';
import { columnsOfFile, listOf } from './files.ts';
import { ColumnInput, crsSelect, field, fileInput, form } from './parts.ts';

const MISSING = ['refuse', 'zero', 'drop'] as const;
const COLUMNS = ['id', 'lon', 'lat', 'code'] as const;

export class CustomersStep implements Step {
  constructor(
    private readonly workspace: Workspace,
    private readonly beginning: Beginning,
    private readonly tiling: () => Tiling | null,
    private readonly work: (work: (told: Told) => Promise<void>) => Promise<void>,
    private readonly done: (imported: Imported | null) => void,
  ) {}

  render(root: HTMLElement): void {
    const { i18n } = this.workspace.context;
    fill(
      root,
      this.form(),
      h(
        'p',
        { class: 'row' },
        h('button', { type: 'button', class: 'plain', onclick: () => this.done(null) }, i18n.t('begin.skip')),
      ),
    );
  }

  private form(): HTMLElement {
    const { context } = this.workspace;
    const { i18n } = context;
    const crs = crsSelect(context);
    const columns = COLUMNS.map((name) => new ColumnInput(name, '', i18n.t('begin.customers.find')));
    const sums = h('input', { type: 'text', placeholder: i18n.t('begin.customers.sum.help') });
    const ticks = h('div', { class: 'ticks' });
    const file = fileInput('.csv,.txt,.xlsx,.parquet,.geojson,.gpkg,.zip', (given) => {
      void columnsOfFile(given).then((found) => {
        for (const column of columns) column.offer(found);
        fill(ticks, ...found.map((column) => tick(column, sums)));
      });
    });
    const missing = h(
      'select',
      {},
      ...MISSING.map((what) => h('option', { value: what }, i18n.t(`begin.customers.missing.${what}`))),
    );
    const least = h('input', { type: 'number', min: 0, max: 100, value: 95 });
    const areas = h('input', { type: 'file', accept: '.geojson,.json' });
    const area = new ColumnInput('area');
    areas.addEventListener('change', () => {
      const [given] = areas.files ?? [];
      if (given) void columnsOfFile(given).then((found) => area.offer(found, found[0]));
    });
    const send = (): Promise<void> =>
      this.work(async (told) => {
        const [given] = file.files ?? [];
        const tiling = this.tiling();
        if (!given || !tiling) return;
        const [id = '', lon = '', lat = '', code = ''] = columns.map(({ value }) => value);
        const fields = {
          file: given,
          crs: crs.value(),
          measure: ['customers=count', ...listOf(sums.value).map((column) => `${column}=sum:${column}`)],
          missing: missing.value,
          min_placed: Number(least.value) / 100,
          id,
          lon,
          lat,
          code,
          areas: areas.files?.[0] ?? null,
          area_id: areas.files?.[0] ? area.value : null,
        };
        this.done(await this.beginning.customers(tiling.id, fields, told));
      });
    return form(
      i18n.t('begin.customers.make'),
      send,
      field(i18n.t('begin.customers.file'), file),
      field(i18n.t('begin.crs'), crs.element),
      h('div', {}, field(i18n.t('begin.customers.sum'), sums), ticks),
      field(i18n.t('begin.customers.missing'), missing),
      h(
        'details',
        {},
        h('summary', {}, i18n.t('begin.more')),
        h(
          'div',
          { class: 'stack' },
          field(i18n.t('begin.customers.least'), least),
          ...COLUMNS.map((name, i) =>
            field(i18n.t(`begin.customers.${name}`), columns[i]?.element ?? h('span')),
          ),
          field(i18n.t('begin.customers.areas'), areas),
          field(i18n.t('begin.customers.area'), area.element),
        ),
      ),
    );
  }
}

/** A column to add up, by one click. */
function tick(column: string, sums: HTMLInputElement): HTMLElement {
  const button = h('button', { type: 'button', class: 'tag', 'aria-pressed': 'false' }, column);
  button.addEventListener('click', () => {
    const names = listOf(sums.value);
    const on = !names.includes(column);
    sums.value = (on ? [...names, column] : names.filter((each) => each !== column)).join(', ');
    button.setAttribute('aria-pressed', String(on));
  });
  return button;
}

/** What came of an import: how many were placed, and what was wrong with the others. */
export function importedWords(imported: Imported, { context }: Workspace): HTMLElement {
  const { i18n, format } = context;
  const rows = Object.values(imported.verdicts).map((verdict) => {
    const reason = i18n.language === 'zh' ? verdict.reason_zh : verdict.reason;
    return h('li', {}, `${format.number(verdict.rows)}: ${reason}`);
  });
  return h(
    'div',
    {},
    h(
      'p',
      {},
      i18n.t('begin.customers.done', {
        placed: format.number(imported.placed),
        read: format.number(imported.read),
        rate: format.percent(imported.placement_rate),
      }),
    ),
    h(
      'details',
      {},
      h('summary', {}, i18n.t('begin.customers.verdicts')),
      h('ul', {}, ...rows),
      h('a', { href: `/v1/imports/${imported.id}/todo`, download: true }, i18n.t('begin.customers.todo')),
    ),
  );
}
