/** What teams would carry with grids given anew, against what they can. */
import type { GridProperties, Roster } from '../../api.ts';
import { total, type Dealing } from './dealing.ts';

export interface Carrying {
  team: string;
  measure: string;
  before: number;
  after: number;
  /** null where nothing is said of it. */
  capacity: number | null;
  over: boolean;
}

export function capacityOf({ teams }: Pick<Roster, 'teams'>, team: string, measure: string): number | null {
  return teams.find(({ id }) => id === team)?.capacity[measure] ?? null;
}

/**
 * The teams which gain or lose grids: each by the measure asked for, and by every other of which it would
 * have more than it can carry.
 */
export function carrying(
  dealing: Dealing,
  grids: readonly GridProperties[],
  roster: Pick<Roster, 'teams'>,
  measure: string,
  measures: readonly string[],
): Carrying[] {
  const held = dealing.byTeam();
  const moved = grids.filter(({ code }) => dealing.isChanged(code));
  const touched = new Set(moved.flatMap((grid) => [grid.team, dealing.teamOf(grid)]));
  const order = [measure, ...measures.filter((name) => name !== measure)];
  return roster.teams
    .filter(({ id }) => touched.has(id))
    .flatMap(({ id }) =>
      order
        .map((name): Carrying => {
          const before = total(
            grids.filter(({ team }) => team === id),
            name,
          );
          const after = total(held.get(id) ?? [], name);
          const capacity = capacityOf(roster, id, name);
          return {
            team: id,
            measure: name,
            before,
            after,
            capacity,
            over: capacity !== null && after > capacity,
          };
        })
        .filter((one) => one.measure === measure || one.over),
    );
}
