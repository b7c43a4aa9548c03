/** Grids which are to change team: what that would come to, and the buttons to save it or take it back. */
import { shownGrids, type Board } from '../../board.ts';
import { fill, h } from '../../dom.ts';
import type { Key } from '../../i18n.ts';
import { loadWords } from './box.ts';
import { carrying } from './carrying.ts';
import type { Dealing } from './dealing.ts';
import { teamNames, type Desk } from './view.ts';

export interface SavingActions {
  save(): void;
  undo(): void;
  discard(): void;
}

export function renderSaving(
  root: HTMLElement,
  dealing: Dealing,
  board: Board,
  measure: string,
  desk: Desk,
  actions: SavingActions,
): void {
  const { i18n } = desk.workspace.context;
  const n = dealing.size;
  const button = (name: string, key: Key, onclick: () => void): HTMLElement =>
    h('button', { type: 'button', class: name, onclick }, i18n.t(key));
  root.hidden = n === 0 && !dealing.canUndo;
  fill(
    root,
    h('strong', {}, i18n.t('teams.pending', { n })),
    n > 0 && effects(dealing, board, measure, desk),
    n > 0 && button('primary', 'teams.save', actions.save),
    button('plain', 'teams.undo', actions.undo),
    button('plain', 'teams.discard', actions.discard),
  );
}

/** What the teams which gain or lose grids would carry, against what they can. */
function effects(dealing: Dealing, board: Board, measure: string, desk: Desk): HTMLElement {
  const { i18n, format } = desk.workspace.context;
  const names = teamNames(desk.roster);
  const all = carrying(dealing, shownGrids(board), desk.roster, measure, board.measures);
  const lines = all.map((one) => {
    const words = {
      team: names.get(one.team) ?? one.team,
      measure: i18n.measure(one.measure, board.territory),
      before: format.compact(one.before),
      after: loadWords(one.after, one.capacity, desk),
    };
    return h('li', { class: one.over ? 'beyond' : null }, i18n.t('teams.carries', words));
  });
  return h('ul', { class: 'team-carries small' }, ...lines);
}

/** Change the teams of a draft's grids, show it anew, and say how many have another team now. */
export async function changeTeams(
  desk: Desk,
  board: Board,
  said: Key,
  change: () => Promise<unknown>,
  more: HTMLElement | null = null,
): Promise<void> {
  const before = new Map(board.grids.map(({ code, team }) => [code, team]));
  await change();
  const after = await desk.workspace.showPlan(board.subject.plan.id);
  const n = after?.grids.filter(({ code, team }) => before.get(code) !== team).length ?? 0;
  desk.say(desk.workspace.context.i18n.t(said, { n }), more);
}

/** A button which gives grids back to the teams they had. */
export function takeBack(desk: Desk, plan: string, former: Record<string, string | null>): HTMLElement {
  const { workspace, teams, run } = desk;
  const back = async (): Promise<void> => {
    const { board } = workspace;
    if (board?.subject.plan.id !== plan) return;
    await changeTeams(desk, board, 'teams.undone', () => teams.give(board, former));
  };
  return h(
    'button',
    { type: 'button', class: 'plain small', onclick: () => void run(back) },
    workspace.context.i18n.t('teams.undo'),
  );
}
