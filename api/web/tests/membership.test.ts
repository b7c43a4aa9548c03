import { describe, expect, it } from 'vitest';
import type { Member, Roster } from '../src/api.ts';
import { dayOf, startOf } from '../src/dates.ts';
import {
  applied,
  changing,
  counts,
  ending,
  given,
  joining,
  leadsOf,
  stateOf,
  succeeding,
} from '../src/rooms/teams/membership.ts';
import { shareEffects } from '../src/rooms/teams/shares.ts';

const TODAY = '2026-11-29T00:00:00.000Z';
const MARCH = '2027-03-01T00:00:00.000Z';
const NOW = { at: TODAY, today: TODAY };
const THEN = { at: MARCH, today: TODAY };

function member(team: string, person: string, more: Partial<Member> = {}): Member {
  return {
    team,
    person,
    role: 'member',
    time_share: 0.5,
    kpi_share: 0.5,
    acting: false,
    backup: false,
    valid_from: null,
    valid_until: null,
    ...more,
  };
}

function roster(...members: Member[]): Roster {
  return {
    roster: 1,
    newest: 1,
    departments: [],
    people: [{ id: 'ann', name: 'Ann', department: 'm', kpi_share: 0.2, valid_until: null }],
    teams: [],
    members,
    fallback: null,
  };
}

describe('days of a territory', () => {
  it('begin at midnight there, also on days on which clocks change', () => {
    expect(startOf('2026-12-01', 'Asia/Shanghai')).toBe('2026-11-30T16:00:00.000Z');
    expect(startOf('2026-03-29', 'Europe/London')).toBe('2026-03-29T00:00:00.000Z');
    expect(startOf('2026-03-30', 'Europe/London')).toBe('2026-03-29T23:00:00.000Z');
    expect(startOf('2026-11-02', 'America/New_York')).toBe('2026-11-02T05:00:00.000Z');
    expect(startOf('2026-11-01', 'America/New_York')).toBe('2026-11-01T04:00:00.000Z');
  });

  it('are told of a moment as people there have them', () => {
    expect(dayOf(new Date('2026-11-30T16:00:00Z'), 'Asia/Shanghai')).toBe('2026-12-01');
    expect(dayOf(new Date('2026-11-30T15:59:59Z'), 'Asia/Shanghai')).toBe('2026-11-30');
  });
});

describe('a membership', () => {
  const ann = member('t', 'ann');
  const wish = { ...given(ann), role: 'vip', time_share: 0.3 };

  it('is changed itself where the change counts from today', () => {
    const after = applied([ann], changing(ann, wish, NOW));
    expect(after).toEqual([{ ...ann, role: 'vip', time_share: 0.3 }]);
  });

  it('ends and begins anew where the change is to come', () => {
    const after = applied([ann], changing(ann, wish, THEN));
    expect(after).toEqual([
      { ...ann, valid_until: MARCH },
      { ...ann, role: 'vip', time_share: 0.3, valid_from: MARCH },
    ]);
  });

  it('which is to begin later than the change is changed itself', () => {
    const coming = member('t', 'ann', { valid_from: '2027-06-01T00:00:00+00:00' });
    expect(changing(coming, wish, THEN).map(({ op }) => op)).toEqual(['change']);
  });

  it('ends on a day, and is taken out where it would not have begun', () => {
    expect(applied([ann], ending(ann, THEN))).toEqual([{ ...ann, valid_until: MARCH }]);
    const coming = member('t', 'ann', { valid_from: '2027-06-01T00:00:00+00:00' });
    expect(applied([ann, coming], ending(coming, THEN))).toEqual([ann]);
  });

  it('of one period is told from the others of the same person', () => {
    const first = member('t', 'ann', { valid_until: TODAY });
    const second = member('t', 'ann', { valid_from: MARCH });
    const after = applied([first, second], changing(second, wish, NOW));
    expect(after.map(({ role }) => role)).toEqual(['member', 'vip']);
  });

  it('counts from its first moment on and before its last', () => {
    const some = member('t', 'ann', { valid_from: TODAY, valid_until: MARCH });
    expect([TODAY, '2026-11-28T23:59:59Z', MARCH].map((at) => counts(some, at))).toEqual([
      true,
      false,
      false,
    ]);
    expect(stateOf(some, TODAY)).toBe('now');
    expect(stateOf(some, MARCH)).toBe('over');
    expect(stateOf(some, '2026-01-01T00:00:00Z')).toBe('coming');
  });
});

describe('another lead', () => {
  const lead = member('t', 'ann', { role: 'lead' });
  const before = roster(lead, member('t', 'ben'), member('u', 'eve', { role: 'lead' }));

  it('is told who leads so far, or stands in', () => {
    expect(leadsOf(before, 't', TODAY, 'ben')).toEqual([lead]);
    expect(leadsOf(before, 't', TODAY, 'ann')).toEqual([]);
    const standing = member('t', 'cleo', { acting: true });
    expect(leadsOf(roster(standing), 't', TODAY, 'ben')).toEqual([standing]);
  });

  it('lets the former one stay, leave or lead too', () => {
    expect(applied([lead], succeeding([lead], 'stays', NOW))).toEqual([{ ...lead, role: 'member' }]);
    expect(applied([lead], succeeding([lead], 'leaves', NOW))).toEqual([{ ...lead, valid_until: TODAY }]);
    expect(succeeding([lead], 'leads', NOW)).toEqual([]);
  });
});

describe('shares', () => {
  const two = roster(member('t', 'ann'), member('u', 'ann', { time_share: 0.4, kpi_share: 0.3 }));

  it('add up over teams, and assessment with what the department keeps', () => {
    const [time, kpi] = shareEffects(two, 'ann', TODAY, []);
    expect([time?.after, kpi?.after].map((value) => value?.toFixed(3))).toEqual(['0.900', '1.000']);
    expect([time?.over, kpi?.over]).toEqual([false, false]);
    expect(kpi?.parts).toEqual([
      ['t', 0.5],
      ['u', 0.3],
      [null, 0.2],
    ]);
  });

  it('are told from when a change makes them too much', () => {
    const wish = { ...given(member('w', 'ann')), time_share: 0.2, kpi_share: 0 };
    const [time, kpi] = shareEffects(two, 'ann', TODAY, joining('w', 'ann', wish, THEN));
    expect(time).toMatchObject({ over: true, since: MARCH });
    expect(time?.after).toBeCloseTo(1.1);
    expect(time?.before).toBeCloseTo(0.9);
    expect(kpi?.over).toBe(false);
  });

  it('of ten tenths are not too much', () => {
    const tenths = Array.from({ length: 10 }, (_, i) =>
      member(`t${i}`, 'bo', { time_share: 0.1, kpi_share: 0 }),
    );
    expect(shareEffects(roster(...tenths), 'bo', TODAY, [])[0]?.over).toBe(false);
  });

  it('of a period which is over by then do not count', () => {
    const past = member('w', 'ann', { time_share: 0.9, valid_until: TODAY });
    const [time] = shareEffects(roster(past, member('t', 'ann')), 'ann', TODAY, []);
    expect(time?.after).toBe(0.5);
  });
});
