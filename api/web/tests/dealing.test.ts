import { describe, expect, it } from 'vitest';
import type { GridProperties } from '../src/api.ts';
import { carrying } from '../src/rooms/teams/carrying.ts';
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
    expect(dealing.wanted()).toEqual({ '01': 'b' });
    expect(dealing.former()).toEqual({ '01': 'a' });
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

  it('are taken back step by step, and a step which changes nothing is none', () => {
    const dealing = new Dealing(GRIDS);
    dealing.give(['01', '02'], 'b');
    dealing.give(['01'], 'b');
    dealing.give(['04'], 'a');
    dealing.give(['01'], 'a');
    expect(dealing.wanted()).toEqual({ '02': 'b', '04': 'a' });
    expect(dealing.former()).toEqual({ '02': 'a', '04': null });
    expect(dealing.undo()).toBe(true);
    expect(dealing.wanted()).toEqual({ '01': 'b', '02': 'b', '04': 'a' });
    expect([dealing.undo(), dealing.undo(), dealing.undo()]).toEqual([true, true, false]);
    expect([dealing.size, dealing.canUndo]).toEqual([0, false]);
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

describe('what teams would carry', () => {
  const teams = [
    { id: 'a', name: 'A', level: 'grid', capacity: { customers: 35 } },
    { id: 'b', name: 'B', level: 'grid', capacity: { customers: 40, kwh: 100 } },
    { id: 'c', name: 'C', level: 'grid', capacity: {} },
  ];
  const grids = GRIDS.map((one) => ({ ...one, measures: { ...one.measures, kwh: 60 } }));

  it('is told of those which gain or lose, before and after, against what they can', () => {
    const dealing = new Dealing(grids);
    dealing.give(['01'], 'c');
    expect(carrying(dealing, grids, { teams }, 'customers', ['customers'])).toEqual([
      { team: 'a', measure: 'customers', before: 40, after: 30, capacity: 35, over: false },
      { team: 'c', measure: 'customers', before: 0, after: 10, capacity: null, over: false },
    ]);
  });

  it('names every measure of which a team would have too much', () => {
    const dealing = new Dealing(grids);
    dealing.give(['02'], 'b');
    const told = carrying(dealing, grids, { teams }, 'customers', ['customers', 'kwh']);
    expect(told.filter(({ over }) => over).map(({ team, measure, after }) => [team, measure, after])).toEqual(
      [
        ['b', 'customers', 50],
        ['b', 'kwh', 120],
      ],
    );
  });
});
