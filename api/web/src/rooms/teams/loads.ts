/** What each team and person carries, as bars against the mean. */
import { addressOf } from '../../api.ts';
import type { Board } from '../../board.ts';
import { fill, h } from '../../dom.ts';
import { loadsPath, loadsQuery, type LoadRow, type Loads } from './api.ts';
import { capacityOf } from './carrying.ts';
import { bar } from './svg.ts';
import type { Desk, View } from './view.ts';

type Whose = 'teams' | 'people';

export async function loadsView(desk: Desk): Promise<View> {
  const board = desk.workspace.board as Board;
  const loads = await desk.teams.loads(board);
  const { i18n } = desk.workspace.context;
  let whose: Whose = 'teams';
  let measure = 'customers' in (loads.teams[0]?.loads ?? {}) ? 'customers' : 'grids';
  const chart = h('div', {});
  const draw = (): void => renderChart(chart, loads, whose, measure, desk, board);
  const measures = h(
    'select',
    {
      'aria-label': i18n.t('teams.loads.measure'),
      onchange: () => {
        measure = measures.value;
        draw();
      },
    },
    ...Object.keys(loads.teams[0]?.loads ?? {}).map((name) =>
      h('option', { value: name, selected: name === measure }, nameOf(name, desk, board)),
    ),
  );
  const sides = (['teams', 'people'] as const).map((side) =>
    h(
      'label',
      { class: 'segment' },
      h('input', {
        type: 'radio',
        name: 'loads-of',
        checked: side === whose,
        onchange: () => {
          whose = side;
          draw();
        },
      }),
      h('span', {}, i18n.t(`teams.loads.${side}`)),
    ),
  );
  draw();
  return {
    root: h(
      'div',
      {},
      h(
        'div',
        { class: 'row' },
        h('div', { class: 'segments', role: 'radiogroup', 'aria-label': i18n.t('teams.loads.of') }, ...sides),
        measures,
      ),
      chart,
      downloads(loadsPath(board), loadsQuery(board), desk),
    ),
  };
}

/** Links to a report as a page and as a workbook. */
export function downloads(path: string, query: Record<string, string>, desk: Desk): HTMLElement {
  const { i18n } = desk.workspace.context;
  const link = (format: string, text: string): HTMLElement => {
    const href = addressOf(path, { ...query, format, lang: i18n.language });
    return h('a', { href, target: '_blank', rel: 'noopener', download: format === 'xlsx' }, text);
  };
  return h(
    'p',
    { class: 'row small' },
    link('html', i18n.t('teams.loads.page')),
    link('xlsx', i18n.t('teams.loads.book')),
  );
}

function nameOf(measure: string, { workspace: { context } }: Desk, board: Board): string {
  return context.i18n.has(`teams.loads.${measure}`) ?? context.i18n.measure(measure, board.territory);
}

function renderChart(
  root: HTMLElement,
  loads: Loads,
  whose: Whose,
  measure: string,
  desk: Desk,
  board: Board,
): void {
  const { i18n, format } = desk.workspace.context;
  const fair = loads.fairness[whose][measure];
  const rows = loads[whose]
    .filter((row) => row.id !== null)
    .sort((a, b) => (b.loads[measure] ?? -1) - (a.loads[measure] ?? -1));
  const room = new Map(rows.map((row) => [row, roomOf(row, whose, measure, loads, desk)]));
  const most = Math.max(
    ...rows.flatMap((row) => [
      row.loads[measure] ?? 0,
      row.before?.loads?.[measure] ?? 0,
      room.get(row) ?? 0,
    ]),
  );
  const short = (value: number): string => (value < 100 ? round(value) : format.compact(value));
  fill(
    root,
    fair?.mean != null &&
      h(
        'p',
        { class: 'teams-fair' },
        i18n.t('teams.loads.fair', {
          mean: short(fair.mean),
          spread: round(fair.spread ?? 1),
          gini: round(fair.gini ?? 0),
        }),
      ),
    h('p', { class: 'muted small' }, i18n.t('teams.loads.legend')),
    h(
      'table',
      { class: 'team-loads' },
      h('caption', { class: 'unseen' }, `${i18n.t('teams.view.loads')}: ${nameOf(measure, desk, board)}`),
      h(
        'tbody',
        {},
        ...rows.map((row) =>
          line(row, { measure, most, mean: fair?.mean ?? null, room: room.get(row) ?? null }, short, desk),
        ),
      ),
    ),
  );
}

function round(value: number): string {
  return value.toFixed(2).replace(/\.?0+$/, '');
}

/** What there is room for: of teams by the roster, of people by the share of it they use. */
function roomOf(row: LoadRow, whose: Whose, measure: string, { parts }: Loads, desk: Desk): number | null {
  if (whose === 'teams') return capacityOf(desk.roster, row.id ?? '', parts[measure] ?? measure);
  const [load, used] = [row.loads[measure], row.used[measure]];
  return load && used ? load / used : null;
}

interface Scale {
  measure: string;
  most: number;
  mean: number | null;
  room: number | null;
}

function line(
  row: LoadRow,
  { measure, most, mean, room }: Scale,
  short: (value: number) => string,
  desk: Desk,
): HTMLElement {
  const { i18n, format } = desk.workspace.context;
  const value = row.loads[measure];
  const before = row.before?.loads?.[measure] ?? null;
  const over = row.over.includes(measure);
  const used = row.used[measure];
  const notes = [
    over && i18n.t('teams.loads.over'),
    used !== undefined &&
      i18n.t('teams.loads.used', {
        share: format.percent(Math.round(used * 100) / 100),
        capacity: short(room ?? 0),
      }),
    row.distance_km.mean !== null && i18n.t('teams.loads.km', { km: row.distance_km.mean.toFixed(1) }),
  ];
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, row.name),
    h(
      'td',
      {},
      bar({ value: value ?? 0, most, capacity: room, mean, before: before === value ? null : before }),
      h('span', { class: over ? 'small beyond' : 'small muted' }, notes.filter(Boolean).join(' · ')),
    ),
    h('td', { class: 'figure' }, value == null ? i18n.t('teams.loads.kept') : short(value)),
  );
}
