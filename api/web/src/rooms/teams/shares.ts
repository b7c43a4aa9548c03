/** What a person's shares come to, now and with a change. */
import type { Member, Roster } from '../../api.ts';
import { applied, counts, later, type Operation } from './membership.ts';

export const SHARES = ['time_share', 'kpi_share'] as const;
export type Share = (typeof SHARES)[number];

/** A tenth of a tenth of a percent: ten times 0.1 is a whole. */
const ROUNDING = 1e-9;

export interface ShareEffect {
  share: Share;
  before: number;
  after: number;
  /** The moment from which `after` is reached. */
  since: string;
  /** The teams which make up `after`, with what the department keeps under null. */
  parts: [team: string | null, share: number][];
  over: boolean;
}

/** The most which a person's shares come to from a moment on, as it is and with some operations done. */
export function shareEffects(
  roster: Roster,
  person: string,
  at: string,
  operations: readonly Operation[],
): ShareEffect[] {
  const own = (members: readonly Member[]): Member[] => members.filter((one) => one.person === person);
  const [before, after] = [own(roster.members), own(applied(roster.members, operations))];
  const home = roster.people.find(({ id }) => id === person)?.kpi_share ?? null;
  return SHARES.map((share) => {
    const kept = share === 'kpi_share' ? (home ?? 0) : 0;
    const most = mostOf(after, share, at);
    const together = after.filter((one) => counts(one, most.since) && one[share] > 0);
    const parts = together.map(({ team, [share]: value }): ShareEffect['parts'][number] => [team, value]);
    return {
      share,
      before: mostOf(before, share, at).total + kept,
      after: most.total + kept,
      since: most.since,
      parts: kept > 0 ? [...parts, [null, kept]] : parts,
      over: most.total + kept > 1 + ROUNDING,
    };
  });
}

/** The most which shares come to at once from a moment on, and since when. */
function mostOf(members: readonly Member[], share: Share, at: string): { total: number; since: string } {
  const begins = members.map(({ valid_from }) => valid_from).filter((from) => later(from, at));
  const moments = [at, ...(begins as string[])].sort((a, b) => Date.parse(a) - Date.parse(b));
  let best = { total: -1, since: at };
  for (const since of moments) {
    const total = members.reduce((sum, one) => sum + (counts(one, since) ? one[share] : 0), 0);
    if (total > best.total + ROUNDING) best = { total, since };
  }
  return best;
}
