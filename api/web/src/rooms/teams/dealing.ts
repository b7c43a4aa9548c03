/** Which team each grid is to go to: as the plan has it, and as it would be with changes not saved yet. */
import type { GridProperties } from '../../api.ts';
import type { Board } from '../../board.ts';

/** Changes of teams which are not saved; one which leads back to the plan's own team is none. */
export class Dealing {
  private changes = new Map<string, string>();
  /** What the changes were before each step. */
  private steps: Map<string, string>[] = [];

  constructor(private readonly grids: readonly GridProperties[]) {}

  get size(): number {
    return this.changes.size;
  }

  teamOf(grid: GridProperties): string | null {
    return this.changes.get(grid.code) ?? grid.team;
  }

  give(codes: Iterable<string>, team: string): void {
    const known = new Map(this.grids.map((grid) => [grid.code, grid]));
    const before = new Map(this.changes);
    const moved = [...codes]
      .flatMap((code) => known.get(code) ?? [])
      .filter((grid) => this.teamOf(grid) !== team);
    for (const grid of moved) {
      const { code } = grid;
      if (grid.team === team) this.changes.delete(code);
      else this.changes.set(code, team);
    }
    if (moved.length > 0) this.steps.push(before);
  }

  /** Take the latest step back; false where there is none. */
  undo(): boolean {
    const before = this.steps.pop();
    if (before) this.changes = before;
    return before !== undefined;
  }

  get canUndo(): boolean {
    return this.steps.length > 0;
  }

  clear(): void {
    this.changes.clear();
    this.steps = [];
  }

  isChanged(code: string): boolean {
    return this.changes.has(code);
  }

  /** The teams which the changed grids are to have, by code. */
  wanted(): Record<string, string> {
    return Object.fromEntries(this.changes);
  }

  /** The teams which the changed grids have so far, by code; null for none. */
  former(): Record<string, string | null> {
    const changed = this.grids.filter(({ code }) => this.changes.has(code));
    return Object.fromEntries(changed.map(({ code, team }) => [code, team]));
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
