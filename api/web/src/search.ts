/** What somebody looks for: places, grids, teams, people and cells on the map, found without asking. */
import { teamName, type Board } from './board.ts';
import { looksLikePoint, readQuestion } from './question.ts';

export type Found =
  | { kind: 'point'; lat: number; lon: number }
  | { kind: 'grid'; grid: number; title: string; more: string }
  | { kind: 'team'; grids: number[]; title: string; more: string }
  | { kind: 'cell'; row: number; title: string }
  | { kind: 'customer'; id: string };

const MOST = 8;

/** How well a text answers: exactly, from its start, within; Infinity where it does not. */
function rank(wanted: string, texts: readonly (string | null | undefined)[]): number {
  const ranks = texts.map((text) => {
    const at = (text ?? '').toLowerCase().indexOf(wanted);
    if (at < 0) return Infinity;
    return (text ?? '').length === wanted.length ? 0 : at === 0 ? 1 : 2;
  });
  return Math.min(...ranks);
}

/** The best answers first; a customer is only known to the service, so it is offered last. */
export function search(board: Board, text: string): Found[] {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  if (looksLikePoint(text)) {
    const point = readQuestion('point', text, 'wgs84');
    return typeof point === 'object' && point.kind === 'point'
      ? [{ kind: 'point', lat: point.lat, lon: point.lon }]
      : [];
  }
  const found = [...grids(board, wanted), ...teams(board, wanted)];
  found.sort((a, b) => a.rank - b.rank);
  const best: Found[] = found.slice(0, MOST).map(({ found: one }) => one);
  const row = board.ground.finder.rowOf(text.trim());
  if (row >= 0) best.unshift({ kind: 'cell', row, title: text.trim() });
  if (board.subject.publication && row < 0) best.push({ kind: 'customer', id: text.trim() });
  return best;
}

interface Ranked {
  rank: number;
  found: Found;
}

function grids(board: Board, wanted: string): Ranked[] {
  return board.grids.flatMap((grid, i): Ranked[] => {
    const found = rank(wanted, [grid.code, grid.name]);
    if (found === Infinity || grid.cells === 0) return [];
    const title = [grid.code, grid.name].filter(Boolean).join(' ');
    return [{ rank: found, found: { kind: 'grid', grid: i, title, more: teamName(grid) } }];
  });
}

/** Teams, also by the name of who leads them. */
function teams(board: Board, wanted: string): Ranked[] {
  const known = new Map<string, { grids: number[]; title: string; more: string }>();
  board.grids.forEach((grid, i) => {
    if (!grid.team || grid.cells === 0) return;
    const team = known.get(grid.team) ?? { grids: [], title: teamName(grid), more: grid.lead_name ?? '' };
    team.grids.push(i);
    known.set(grid.team, team);
  });
  return [...known].flatMap(([id, team]): Ranked[] => {
    const found = rank(wanted, [id, team.title, team.more]);
    // Where they rank alike, grids come before the teams which have them.
    return found === Infinity ? [] : [{ rank: found + 0.5, found: { kind: 'team', ...team } }];
  });
}
