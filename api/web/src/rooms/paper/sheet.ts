/** What stands on the page of a grid, as sections of lines: the same for paper and for pictures. */
import type { GridProperties } from '../../api.ts';
import { teamName, type Board } from '../../board.ts';
import type { Context } from '../../context.ts';

/** Customers and cells which go from grid to grid, as a comparison tells of them. */
export interface Flow {
  from: string | null;
  to: string | null;
  cells: number;
  customers?: number | null;
}

export interface Sheet {
  grid: GridProperties;
  /** Its place in the board's list. */
  at: number;
  title: string;
  /** Territory, publication or draft, and the day. */
  lines: string[];
  watermark: string | null;
  facts: [name: string, value: string][];
  sections: { title: string; lines: string[] }[];
}

const MOST_PLACES = 24;
const MOST_FLOWS = 10;

/**
 * @param flows what changes against the publication before; null where there is none to compare with.
 */
export function sheetOf(board: Board, at: number, flows: readonly Flow[] | null, context: Context): Sheet {
  const { i18n } = context;
  const grid = board.grids[at] as GridProperties;
  const { publication } = board.subject;
  const sections = [
    { title: i18n.t('paper.neighbours'), lines: neighbours(board, at) },
    ...(flows ? [{ title: i18n.t('paper.flows'), lines: flowLines(flows, grid.code, context) }] : []),
    { title: i18n.t('paper.places'), lines: places(board, at, context) },
  ];
  return {
    grid,
    at,
    title: grid.name?.includes(grid.code)
      ? grid.name
      : [`${i18n.t('paper.grid')} ${grid.code}`, grid.name].filter(Boolean).join(' · '),
    lines: head(board, context),
    watermark: publication ? null : i18n.t('paper.draft'),
    facts: facts(board, grid, context),
    sections: sections.filter(({ lines }) => lines.length > 0),
  };
}

function head(board: Board, { i18n, format }: Context): string[] {
  const { territory, subject } = board;
  const zone = territory.time_zone;
  const { publication, plan } = subject;
  const state = publication
    ? i18n.t('paper.publication', { n: publication.n, date: format.date(publication.effective_at, zone) })
    : i18n.t('paper.state', { name: plan.name ?? plan.id });
  return [
    [territory.name, territory.simulated && i18n.t('paper.simulated')].filter(Boolean).join(' · '),
    state,
    i18n.t('paper.made', { date: format.date(new Date().toISOString(), zone) }),
  ];
}

function facts(board: Board, grid: GridProperties, { i18n, format }: Context): [string, string][] {
  const measures = board.measures.map((name): [string, string] => {
    const value = format.compact(grid.measures[name] ?? 0);
    const target = grid.targets[name];
    const words = {
      value,
      target: format.compact(target ?? 0),
      deviation: format.deviation(grid.deviation[name]),
    };
    return [i18n.measure(name, board.territory), target == null ? value : i18n.t('paper.target', words)];
  });
  return [
    [i18n.t('paper.team'), teamName(grid) || i18n.t('paper.nobody')],
    [i18n.t('paper.lead'), grid.lead_name ?? i18n.t('paper.nobody')],
    [i18n.t('paper.cells'), format.number(grid.cells)],
    [i18n.t('paper.area'), format.area(grid.area_km2)],
    ...measures,
  ];
}

/** Code and name, but the code once where the name holds it. */
function nameOf({ code, name }: GridProperties): string {
  return name?.includes(code) ? name : [code, name].filter(Boolean).join(' ');
}

function neighbours(board: Board, at: number): string[] {
  return [...(board.around[at] ?? [])]
    .map((other) => board.grids[other] as GridProperties)
    .sort((a, b) => a.code.localeCompare(b.code))
    .map((grid) => [nameOf(grid), teamName(grid), grid.lead_name].filter(Boolean).join(' · '));
}

/** Cells which are places with a name or code of their own; numbers of hexagons tell nobody anything. */
function places(board: Board, at: number, { i18n, format }: Context): string[] {
  const { columns } = board.ground;
  if (columns.resolution !== null) return [];
  const names = columns.cells.filter((_, row) => board.labels[row] === at).sort();
  const shown = names.slice(0, MOST_PLACES).join(', ');
  const more = names.length - MOST_PLACES;
  return more > 0 ? [`${shown}, ${i18n.t('paper.places.more', { n: format.number(more) })}`] : [shown];
}

export function flowLines(flows: readonly Flow[], code: string, { i18n, format }: Context): string[] {
  const words = (flow: Flow, grid: string | null): Record<string, string> => ({
    grid: grid ?? i18n.t('paper.flow.nowhere'),
    customers: flow.customers == null ? '–' : format.number(flow.customers),
    cells: format.number(flow.cells),
  });
  const most = (a: Flow, b: Flow): number => (b.customers ?? b.cells) - (a.customers ?? a.cells);
  const among = flows.filter(({ from, to }) => from !== to);
  const coming = among.filter(({ to }) => to === code).sort(most);
  const going = among.filter(({ from }) => from === code).sort(most);
  const lines = [
    ...coming.slice(0, MOST_FLOWS).map((flow) => i18n.t('paper.flow.in', words(flow, flow.from))),
    ...going.slice(0, MOST_FLOWS).map((flow) => i18n.t('paper.flow.out', words(flow, flow.to))),
  ];
  return lines.length ? lines : [i18n.t('paper.flow.none')];
}
