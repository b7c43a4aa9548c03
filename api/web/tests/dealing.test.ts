import { describe, expect, it } from 'vitest';
import type { GridProperties } from '../src/api.ts';
import { Dealing, offMean, total } from '../src/rooms/teams/dealing.ts';

function grid(code: string, team: string | null, customers = 0): GridProperties {
  return {
    code,
    name: null,
    team,
    carve_out: false,
    parent: null,
    cells: 1,
    area_km2: 1,
    pieces: 1,
    measures: { customers },
    targets: {},
    deviation: {},
    inside: null,
    team_name: team,
    lead_name: null,
  };
}

const GRIDS = [grid('02', 'a', 30), grid('01', 'a', 10), grid('03', 'b', 20), grid('04', null, 5)];

describe('grids given to teams', () => {
  it('are changes only where the team is another than the plan has', () => {
    const dealing = new Dealing(GRIDS);
    dealing.give(['01', '03', 'unknown'], 'b');
    expect(dealing.changed()).toEqual([{ grid: '01', team: 'b' }]);
    dealing.give(['01'], 'a');
    expect(dealing.size).toBe(0);
  });

  it('stand under their new team, in order of their codes', () => {
    const dealing = new Dealing(GRIDS);
    dealing.give(['03'], 'a');
    const codes = (team: string | null): string[] | undefined =>
      dealing
        .byTeam()
        .get(team)
        ?.map(({ code }) => code);
    expect([codes('a'), codes('b'), codes(null)]).toEqual([['01', '02', '03'], undefined, ['04']]);
  });

  it('leave every other grid pinned where it is, unless its team is gone', () => {
    const dealing = new Dealing(GRIDS);
    dealing.give(['01'], 'c');
    expect(dealing.pins(new Set(['a', 'c']))).toEqual([
      { grid: '02', team: 'a' },
      { grid: '01', team: 'c' },
    ]);
  });

  it('are all taken back at once', () => {
    const dealing = new Dealing(GRIDS);
    dealing.give(['01', '04'], 'b');
    dealing.clear();
    expect(GRIDS.map((one) => dealing.teamOf(one))).toEqual(['a', 'a', 'b', null]);
  });
});

describe('loads', () => {
  it('add up, and are set against the mean', () => {
    expect(total(GRIDS, 'customers')).toBe(65);
    expect(total(GRIDS, 'unknown')).toBe(0);
    expect(offMean(30, [10, 30])).toBeCloseTo(0.5);
    expect(offMean(0, [])).toBe(0);
  });
});
