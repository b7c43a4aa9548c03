/** What the views of this room share. */
import type { Roster } from '../../api.ts';
import type { Place } from '../../stage.ts';
import type { Workspace } from '../../workspace.ts';
import type { Teams } from './api.ts';

export interface Desk {
  workspace: Workspace;
  teams: Teams;
  roster: Roster;
  /** Do one thing at a time; what goes wrong is told in words. */
  run(work: () => Promise<unknown>): Promise<void>;
  /** Tell how something went, with what may be done about it. */
  say(text: string, more?: HTMLElement | null): void;
}

export interface View {
  root: HTMLElement;
  pick?(place: Place): boolean;
  stop?(): void;
}

/** What the service writes in place of names which the caller may not see. */
const MASK = '***';

/** A choice by a list; the label stands above it. */
export type Option = [value: string, text: string];

export function teamNames({ teams }: Roster): Map<string, string> {
  return new Map(teams.map(({ id, name }) => [id, name]));
}

/** People's names; where the caller may not see them the ids, by which they can be told apart. */
export function personNames({ people }: Roster): Map<string, string> {
  return new Map(people.map(({ id, name }) => [id, name === MASK ? `${MASK} ${id}` : name]));
}

export function isMasked({ people }: Roster): boolean {
  return people.some(({ name }) => name === MASK);
}
