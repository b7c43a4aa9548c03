/** A team with its load and its grids, onto which grids are dropped. */
import type { GridProperties } from '../../api.ts';
import { h } from '../../dom.ts';
import { capacityOf } from './carrying.ts';
import { offMean, type Dealing } from './dealing.ts';
import { acceptDrops, dragGrids, dragTeam } from './drag.ts';
import { bar } from './svg.ts';
import { personNames, teamNames, type Desk } from './view.ts';

/** What a team carries, among what all of them do. */
export interface Sum {
  sums: number[];
  most: number;
  now: number;
  before: number;
}

export interface Holding {
  /** null for grids of no team. */
  id: string | null;
  grids: GridProperties[];
  sum: Sum | null;
}

export interface Hands {
  editable: boolean;
  isChosen(code: string): boolean;
  chosen(): string[];
  toggle(code: string): void;
  give(codes: string[], team: string): void;
}

export function teamBox(
  { id, grids, sum }: Holding,
  measure: string,
  dealing: Dealing,
  desk: Desk,
  hands: Hands,
): HTMLElement {
  const { i18n, format } = desk.workspace.context;
  const { members } = desk.roster;
  const lead = members.find((one) => one.team === id && (one.acting || one.role === 'lead'));
  const people = personNames(desk.roster);
  const leadName = lead && (people.get(lead.person) ?? lead.person);
  const draggable = hands.editable && id !== null;
  const capacity = id === null ? null : capacityOf(desk.roster, id, measure);
  const title = h(
    'div',
    { class: 'team-title', draggable: draggable ? 'true' : null },
    h('strong', {}, id === null ? i18n.t('teams.none') : (teamNames(desk.roster).get(id) ?? id)),
    h(
      'span',
      { class: 'muted small' },
      id !== null && (leadName ? i18n.t('teams.lead', { name: leadName }) : i18n.t('teams.noLead')),
    ),
  );
  const box = h(
    'li',
    { class: 'team-box', 'data-team': id },
    title,
    sum &&
      bar({
        value: sum.now,
        most: sum.most,
        capacity,
        mean: mean(sum.sums),
        before: dealing.size ? sum.before : null,
      }),
    sum &&
      h(
        'span',
        { class: capacity !== null && sum.now > capacity ? 'small beyond' : 'small muted' },
        [
          loadWords(sum.now, capacity, desk),
          i18n.t('teams.offMean', { deviation: format.deviation(offMean(sum.now, sum.sums)) }),
        ].join(' · '),
      ),
    h(
      'div',
      { class: 'team-grids' },
      ...(grids.length
        ? grids.map((grid) => chip(grid, measure, dealing, desk, hands))
        : [h('span', { class: 'muted small' }, i18n.t('teams.noGrids'))]),
    ),
  );
  if (draggable) {
    dragTeam(title, id);
    acceptDrops(box, (codes) => hands.give(codes, id));
  }
  return box;
}

/** A load, with what there is room for where that is known. */
export function loadWords(value: number, capacity: number | null, { workspace: { context } }: Desk): string {
  const { i18n, format } = context;
  if (capacity === null) return format.compact(value);
  const words = {
    value: format.compact(value),
    capacity: format.compact(capacity),
    share: format.percent(Math.round((value / Math.max(capacity, 1e-12)) * 100) / 100),
  };
  return i18n.t(value > capacity ? 'teams.load.over' : 'teams.load.of', words);
}

function chip(
  grid: GridProperties,
  measure: string,
  dealing: Dealing,
  desk: Desk,
  hands: Hands,
): HTMLElement {
  const { i18n, format } = desk.workspace.context;
  const moved = dealing.isChanged(grid.code);
  const value = format.compact(grid.measures[measure] ?? 0);
  const words = { code: grid.code, value, team: grid.team_name ?? grid.team ?? i18n.t('teams.none') };
  const label = moved ? i18n.t('teams.grid.moved', words) : i18n.t('teams.grid', words);
  const chip = h(
    'button',
    {
      type: 'button',
      class: moved ? 'grid-chip moved' : 'grid-chip',
      'data-grid': grid.code,
      'aria-pressed': String(hands.isChosen(grid.code)),
      'aria-label': label,
      title: label,
      disabled: !hands.editable,
      draggable: hands.editable ? 'true' : null,
      onclick: () => hands.toggle(grid.code),
    },
    grid.code,
  );
  if (hands.editable) dragGrids(chip, () => (hands.isChosen(grid.code) ? hands.chosen() : [grid.code]));
  return chip;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
}
