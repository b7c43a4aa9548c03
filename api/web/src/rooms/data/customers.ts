/** Customers from a file: columns chosen, a verdict for each row, and the bad ones on the map. */
import type { Api } from '../../api.ts';
import { fill, h } from '../../dom.ts';
import { Solving, type Job, type Tiling } from '../plans/solving.ts';
import { BadPlaces } from './bad.ts';
import { columnsOf } from './csv.ts';
import { badRows, type BadRow } from './rows.ts';
import { CrsChoice, field, select, type Desk, type Dialog } from './parts.ts';

const COLUMNS = ['id', 'lon', 'lat', 'code'] as const;
const MOST_LISTED = 200;

interface Verdict {
  rows: number;
  placed: boolean;
  reason: string;
  reason_zh: string;
  cure: string;
}

interface Imported {
  id: string;
  placement_rate: number;
  read: number;
  placed: number;
  verdicts: Record<string, Verdict>;
  hints: { text?: string; hint?: string; message?: string }[];
}

export async function customersDialog(desk: Desk, territory: string): Promise<Dialog> {
  const { workspace } = desk;
  const { i18n, format, api } = workspace.context;
  const tilings = await new Solving(api).tilings(territory);
  const zone = workspace.territory?.time_zone ?? 'UTC';
  const tiling = select(
    'tiling',
    tilings.map((one: Tiling) => [
      one.id,
      i18n.t('data.customers.tiling.item', {
        cells: format.number(one.cells),
        date: format.date(one.recorded_at, zone),
      }),
    ]),
  );
  tiling.value = workspace.board?.subject.plan.tiling ?? tiling.value;
  const crs = new CrsChoice(i18n, 'file');
  const list = h('datalist', { id: 'data-columns' });
  const columns = COLUMNS.map((name) =>
    h('input', { type: 'text', name, list: list.id, placeholder: i18n.t('data.column.find') }),
  );
  // Without the measures which the plan on the map is of it could not be shown any more.
  const { board } = workspace;
  const needs = (board?.measures ?? [])
    .filter((name) => name !== 'customers')
    .map((name) => ({
      name,
      input: h('input', { type: 'text', name: `measure-${name}`, list: list.id, required: true }),
    }));
  const sums = h('fieldset', {});
  const typed = h('input', { type: 'text', name: 'sums', 'aria-label': i18n.t('data.column.sum') });
  const offer = (found: readonly string[]): void => {
    fill(list, ...found.map((value) => h('option', { value })));
    for (const { name, input } of needs) if (!input.value && found.includes(name)) input.value = name;
    const others = found.filter((value) => !needs.some(({ name }) => name === value));
    fill(
      sums,
      h('legend', {}, i18n.t('data.column.sum')),
      ...(found.length
        ? others.map((value) =>
            h('label', { class: 'data-tick' }, h('input', { type: 'checkbox', name: 'sum', value }), value),
          )
        : [typed, h('p', { class: 'muted small' }, i18n.t('data.column.typed'))]),
    );
  };
  offer([]);
  const file = h('input', {
    type: 'file',
    name: 'file',
    required: true,
    accept: '.csv,.txt,.xlsx,.parquet,.geojson,.gpkg,.zip,.fgb',
    onchange: () => {
      const [given] = file.files ?? [];
      if (given) void columnsOf(given).then(offer);
    },
  });
  const least = h('input', { type: 'number', name: 'least', min: 0, max: 100, value: 95 });
  const told = h('div', { 'aria-live': 'polite' });
  const places = new BadPlaces(workspace);
  const body = (): FormData => {
    const wanted = new FormData();
    const [given] = file.files ?? [];
    if (given) wanted.set('file', given);
    if (crs.value) wanted.set('crs', crs.value);
    for (const input of columns) if (input.value.trim()) wanted.set(input.name, input.value.trim());
    wanted.append('measure', 'customers=count');
    for (const { name, input } of needs) wanted.append('measure', `${name}=sum:${input.value.trim()}`);
    for (const name of sumsOf(sums, typed)) wanted.append('measure', `${name}=sum:${name}`);
    wanted.set('min_placed', String(Number(least.value) / 100));
    return wanted;
  };
  const form = h(
    'form',
    {
      class: 'form',
      onsubmit: (event: Event) => {
        event.preventDefault();
        fill(told);
        void desk.run(async () => {
          const imported = await send(api, tiling.value, body());
          const bad = badRows(await todo(imported.id));
          await places.show(bad);
          fill(told, verdictsOf(imported, desk), badList(imported, bad, places, desk));
          // Measures are those of the new customers now.
          await workspace.reload();
        });
      },
    },
    field(i18n.t('data.file'), file),
    tilings.length > 1 ? field(i18n.t('data.customers.tiling'), tiling) : null,
    crs.root,
    ...COLUMNS.map((name, i) => field(i18n.t(`data.column.${name}`), columns[i] as HTMLInputElement)),
    list,
    ...needs.map(({ name, input }) =>
      field(
        i18n.t('data.column.measure', {
          measure: workspace.territory ? i18n.measure(name, workspace.territory) : name,
        }),
        input,
      ),
    ),
    sums,
    field(i18n.t('data.least'), least),
    h('div', {}, h('button', { type: 'submit', class: 'primary' }, i18n.t('data.import'))),
  );
  return {
    root: h('div', {}, h('p', { class: 'muted' }, i18n.t('data.customers.help')), form, told),
    stop: () => places.stop(),
  };
}

function sumsOf(ticks: HTMLElement, typed: HTMLInputElement): string[] {
  const ticked = [...ticks.querySelectorAll<HTMLInputElement>('input:checked')].map(({ value }) => value);
  const written = typed.isConnected ? typed.value.split(/[,，;；]/).map((name) => name.trim()) : [];
  return [...ticked, ...written].filter(Boolean);
}

async function send(api: Api, tiling: string, body: FormData): Promise<Imported> {
  const { value, status } = await api.send<Imported | Job>('POST', `/v1/tilings/${tiling}/customers`, {
    body,
  });
  if (status !== 202) return value as Imported;
  const job = await new Solving(api).follow(value.id, () => undefined);
  return job.result as unknown as Imported;
}

/** The rows a human must look at; text, which `Api` does not read. */
async function todo(id: string): Promise<string> {
  const response = await fetch(`/v1/imports/${encodeURIComponent(id)}/todo`);
  return response.ok ? response.text() : '';
}

function verdictsOf(imported: Imported, { workspace: { context } }: Desk): HTMLElement {
  const { i18n, format } = context;
  const rows = Object.values(imported.verdicts).map((verdict) =>
    h(
      'tr',
      { class: verdict.placed ? null : 'beyond' },
      h('th', { scope: 'row' }, i18n.language === 'zh' ? verdict.reason_zh : verdict.reason),
      h('td', { class: 'figure' }, format.number(verdict.rows)),
    ),
  );
  const words = {
    placed: format.number(imported.placed),
    read: format.number(imported.read),
    rate: format.percent(imported.placement_rate),
  };
  return h(
    'div',
    { class: 'data-told' },
    h('strong', {}, i18n.t('data.imported', words)),
    h(
      'table',
      { class: 'data-verdicts' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, i18n.t('data.verdict')),
          h('th', { scope: 'col', class: 'figure' }, i18n.t('data.rows')),
        ),
      ),
      h('tbody', {}, ...rows),
    ),
  );
}

function badList(
  imported: Imported,
  bad: readonly BadRow[],
  places: BadPlaces,
  { workspace: { context } }: Desk,
): HTMLElement | null {
  const { i18n, format } = context;
  if (bad.length === 0) return null;
  const placed = bad.filter(({ at }) => at !== null).length;
  const reason = ({ verdict, reason: english }: BadRow): string =>
    i18n.language === 'zh' ? (imported.verdicts[verdict]?.reason_zh ?? english) : english;
  const items = bad.slice(0, MOST_LISTED).map((row) => {
    const label = `${i18n.t('data.row')} ${format.number(row.row)}`;
    const show = h(
      'button',
      {
        type: 'button',
        class: 'code',
        'aria-label': i18n.t('data.bad.show', { row: row.row }),
        onclick: () => places.goTo(row),
      },
      label,
    );
    return h(
      'li',
      {},
      row.at ? show : h('strong', {}, label),
      ` ${row.id}: ${reason(row)}`,
      i18n.language === 'en' && h('span', { class: 'second' }, row.cure),
    );
  });
  return h(
    'div',
    {},
    h('h3', {}, i18n.t('data.bad')),
    h('p', { class: 'small muted' }, i18n.t('data.bad.map', { n: format.number(placed) })),
    bad.length > MOST_LISTED &&
      h('p', { class: 'small muted' }, i18n.t('data.bad.more', { n: format.number(MOST_LISTED) })),
    h('ul', { class: 'data-bad' }, ...items),
    h('a', { href: `/v1/imports/${imported.id}/todo`, download: true }, i18n.t('data.todo')),
  );
}
