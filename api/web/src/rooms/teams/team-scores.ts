/** Scores of teams, from those of their grids. */
import type { ScoreGrid } from './api.ts';

/** Figures which add up over grids. */
export const ADDED: readonly string[] = ['customers', 'potential', 'white_space'];

export interface TeamScore {
  id: string;
  name: string;
  /** Codes of its grids. */
  grids: string[];
  /** The mean of its grids' scores; null where none has one. */
  score: number | null;
  /** 1 is best; equals share it. */
  rank: number | null;
  tied: boolean;
  /** Sums, and `density` a square kilometre; null where a grid's figure is not told. */
  figures: Record<string, number | null>;
}

export function teamScores(grids: readonly ScoreGrid[]): TeamScore[] {
  const held = new Map<string, ScoreGrid[]>();
  for (const grid of grids) {
    if (grid.team) held.set(grid.team.id, [...(held.get(grid.team.id) ?? []), grid]);
  }
  const teams = [...held.values()].map(teamOf);
  const scores = teams.map(({ score }) => score);
  for (const team of teams) {
    if (team.score === null) continue;
    const { score } = team;
    team.rank = 1 + scores.filter((other) => other !== null && other > score).length;
    team.tied = scores.filter((other) => other === score).length > 1;
  }
  return teams.sort((a, b) => (a.rank ?? Infinity) - (b.rank ?? Infinity) || a.name.localeCompare(b.name));
}

function teamOf(grids: ScoreGrid[]): TeamScore {
  const { id, name } = grids[0]?.team ?? { id: '', name: '' };
  const scores = grids.flatMap(({ score }) => (score?.value == null ? [] : [score.value]));
  const figures: TeamScore['figures'] = Object.fromEntries(
    ADDED.map((figure) => [figure, sum(grids, figure)]),
  );
  const area = grids.reduce((all, grid) => all + grid.area_km2, 0);
  const customers = figures['customers'] ?? null;
  figures['density'] = customers === null || area === 0 ? null : customers / area;
  return {
    id,
    name,
    grids: grids.map(({ code }) => code),
    score: scores.length ? scores.reduce((all, one) => all + one, 0) / scores.length : null,
    rank: null,
    tied: false,
    figures,
  };
}

function sum(grids: readonly ScoreGrid[], figure: string): number | null {
  const values = grids.map((grid) => grid.figures[figure]?.value ?? null);
  return values.includes(null) ? null : values.reduce<number>((all, one) => all + (one ?? 0), 0);
}
