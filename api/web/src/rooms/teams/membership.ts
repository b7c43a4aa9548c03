/** Changes of memberships: as operations the service takes, and what becomes of the members by them. */
import type { Member, Roster } from '../../api.ts';

/** A change of a roster, as `POST /v1/territories/{territory}/roster/changes` takes it. */
export interface Operation {
  op: 'add' | 'change' | 'end';
  what: 'member';
  entry: Pick<Member, 'team' | 'person'> & Partial<Member>;
}

export type Given = Pick<Member, 'role' | 'time_share' | 'kpi_share' | 'acting' | 'backup' | 'valid_until'>;

/** What becomes of those who lead so far, where somebody else comes to lead. */
export type Formerly = 'stays' | 'leaves' | 'leads';

/** When a change counts: `at` is the beginning of the day it is wished for. */
export interface When {
  at: string;
  /** The beginning of today. */
  today: string;
}

/** Put a person into a team. */
export function joining(team: string, person: string, given: Given, { at }: When): Operation[] {
  return [{ op: 'add', what: 'member', entry: { team, person, ...given, valid_from: at } }];
}

/**
 * Change a membership. What is to come ends the period of now and begins another; what counts from today,
 * or did before, changes the period itself: earlier rosters keep how it was.
 */
export function changing(old: Member, given: Given, when: When): Operation[] {
  const { team, person, valid_from } = old;
  if (!later(when.at, when.today) || !later(when.at, valid_from)) {
    return [{ op: 'change', what: 'member', entry: { team, person, valid_from, ...given } }];
  }
  return [
    { op: 'change', what: 'member', entry: { team, person, valid_from, valid_until: when.at } },
    ...joining(team, person, given, when),
  ];
}

/** End a membership; one which has not begun by then is taken out. */
export function ending({ team, person, valid_from }: Member, { at }: When): Operation[] {
  const until = later(at, valid_from) ? { valid_until: at } : {};
  return [{ op: 'end', what: 'member', entry: { team, person, valid_from, ...until } }];
}

/** What is done with those who lead a team so far. */
export function succeeding(leads: readonly Member[], formerly: Formerly, when: When): Operation[] {
  if (formerly === 'leads') return [];
  return leads.flatMap((lead) =>
    formerly === 'leaves'
      ? ending(lead, when)
      : changing(lead, { ...given(lead), role: 'member', acting: false }, when),
  );
}

/** Who leads a team at a moment, other than one person. */
export function leadsOf({ members }: Roster, team: string, at: string, besides: string): Member[] {
  return members.filter(
    (one) =>
      one.team === team && one.person !== besides && (one.role === 'lead' || one.acting) && counts(one, at),
  );
}

export function given({ role, time_share, kpi_share, acting, backup, valid_until }: Member): Given {
  return { role, time_share, kpi_share, acting, backup, valid_until };
}

/** Whether a membership counts at a moment. */
export function counts({ valid_from, valid_until }: Member, at: string): boolean {
  return !later(valid_from, at) && (valid_until === null || later(valid_until, at));
}

/** Whether a membership is over, counts, or is to come. */
export function stateOf(member: Member, now: string): 'over' | 'now' | 'coming' {
  if (counts(member, now)) return 'now';
  return later(member.valid_from, now) ? 'coming' : 'over';
}

/** The members as they would be after some operations, without asking the service. */
export function applied(members: readonly Member[], operations: readonly Operation[]): Member[] {
  let found = [...members];
  for (const { op, entry } of operations) {
    const meant = (one: Member): boolean =>
      one.team === entry.team && one.person === entry.person && one.valid_from === (entry.valid_from ?? null);
    if (op === 'add') found.push({ ...BLANK, ...entry });
    else if (op === 'end' && entry.valid_until == null) found = found.filter((one) => !meant(one));
    else found = found.map((one) => (meant(one) ? { ...one, ...entry } : one));
  }
  return found;
}

const BLANK: Omit<Member, 'team' | 'person'> = {
  role: 'member',
  time_share: 1,
  kpi_share: 1,
  acting: false,
  backup: false,
  valid_from: null,
  valid_until: null,
};

/** Whether a moment is after another; null is before all. */
export function later(one: string | null, other: string | null): boolean {
  if (one === null) return false;
  return other === null || Date.parse(one) > Date.parse(other);
}
