/** Which team each grid is to go to: as the plan has it, and as it would be with changes not saved yet. */
import type { GridProperties } from '../../api.ts';
import type { Board } from '../../board.ts';

export interface Pin {
  grid: string;
  team: string;
}

/** Changes of teams which are not saved; one which leads back to the plan's own team is none. */
export class Dealing {
  private readonly changes = new Map<string, string>();

  constructor(private readonly grids: readonly GridProperties[]) {}

  get size(): number {
    return this.changes.size;
  }

  teamOf(grid: GridProperties): string | null {
    return this.changes.get(grid.code) ?? grid.team;
  }

  give(codes: Iterable<string>, team: string): void {
    const known = new Map(this.grids.map((grid) => [grid.code, grid]));
    for (const code of codes) {
      const grid = known.get(code);
      if (!grid) continue;
      if (grid.team === team) this.changes.delete(code);
      else this.changes.set(code, team);
    }
  }

  clear(): void {
    this.changes.clear();
  }

  isChanged(code: string): boolean {
    return this.changes.has(code);
  }

  /** What was changed, as pins of an assignment. */
  changed(): Pin[] {
    return [...this.changes].map(([grid, team]) => ({ grid, team }));
  }

  /**
   * Pins which leave every grid where it is, but for those changed. A grid without a team, or with one
   * which is no more in the roster, has none: the service finds one for it.
   */
  pins(teams: ReadonlySet<string>): Pin[] {
    return this.grids.flatMap((grid) => {
      const team = this.teamOf(grid);
      return team !== null && teams.has(team) ? [{ grid: grid.code, team }] : [];
    });
  }

  /** Grids by team, in the order of their codes; those of no team under null. */
  byTeam(): Map<string | null, GridProperties[]> {
    const found = new Map<string | null, GridProperties[]>();
    for (const grid of this.grids) {
      const team = this.teamOf(grid);
      found.set(team, [...(found.get(team) ?? []), grid]);
    }
    for (const grids of found.values()) grids.sort((a, b) => a.code.localeCompare(b.code));
    return found;
  }

  /** The board as it would be. */
  shown(board: Board, names: ReadonlyMap<string, string>): Board {
    const grids = board.grids.map((grid) => {
      const team = this.changes.get(grid.code);
      return team === undefined
        ? grid
        : { ...grid, team, team_name: names.get(team) ?? team, lead_name: null };
    });
    return { ...board, grids };
  }
}

export function total(grids: readonly GridProperties[], measure: string): number {
  return grids.reduce((sum, grid) => sum + (grid.measures[measure] ?? 0), 0);
}

/** How far a value is off the mean, as a share; 0 where there is nothing to compare with. */
export function offMean(value: number, all: readonly number[]): number {
  const mean = all.reduce((sum, one) => sum + one, 0) / Math.max(all.length, 1);
  return mean === 0 ? 0 : value / mean - 1;
}
