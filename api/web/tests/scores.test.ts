import { describe, expect, it } from 'vitest';
import type { ScoreGrid } from '../src/rooms/teams/api.ts';
import { teamScores } from '../src/rooms/teams/team-scores.ts';

function grid(code: string, team: string | null, score: number | null, customers: number | null): ScoreGrid {
  return {
    code,
    name: null,
    team: team === null ? null : { id: team, name: team.toUpperCase() },
    area_km2: 2,
    figures: { customers: { value: customers } },
    score: score === null ? null : { value: score, rank: 1, tied: false },
  };
}

describe('the score of a team', () => {
  it('is the mean of those of its grids, and the best comes first', () => {
    const found = teamScores([
      grid('01', 'a', 20, 10),
      grid('02', 'b', 60, 30),
      grid('03', 'a', 80, 50),
      grid('04', 'b', null, 2),
      grid('05', null, 99, 1),
      grid('06', 'c', 10, 1),
    ]);
    expect(found.map(({ id, score, rank }) => [id, score, rank])).toEqual([
      ['b', 60, 1],
      ['a', 50, 2],
      ['c', 10, 3],
    ]);
    expect(found[1]).toMatchObject({ grids: ['01', '03'], name: 'A' });
    expect(found[1]?.figures).toMatchObject({ customers: 60, density: 15 });
  });

  it('is shared by equals, and is none where no grid has one', () => {
    const found = teamScores([grid('01', 'b', 5, 1), grid('02', 'a', 5, 1), grid('03', 'c', null, 1)]);
    expect(found.map(({ id, rank, tied }) => [id, rank, tied])).toEqual([
      ['a', 1, true],
      ['b', 1, true],
      ['c', null, false],
    ]);
  });

  it('adds up only what is told of every grid', () => {
    const [team] = teamScores([grid('01', 'a', 5, 10), grid('02', 'a', 5, null)]);
    expect(team?.figures).toMatchObject({ customers: null, density: null, potential: null });
  });
});
