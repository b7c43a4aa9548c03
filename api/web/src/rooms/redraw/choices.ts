/** The parts of the panel by which a planner says what to do: tool, grid to give to, steps, whole grids. */
import { shownGrids, type Board } from '../../board.ts';
import type { Context } from '../../context.ts';
import { h } from '../../dom.ts';
import type { PlanDetail } from '../../api.ts';
import { NEW } from './chosen.ts';
import { TOOLS, type ToolName } from './tools.ts';

/** What the pointer does at the moment. */
export interface Held {
  tool: ToolName;
  /** Width of the brush in pixels. */
  size: number;
}

/** An offer to start a draft of what is on the map, or to open one which is there. */
export function startOffer(
  context: Context,
  plans: Promise<PlanDetail[]>,
  start: () => void,
  open: (plan: string) => void,
): HTMLElement {
  const { i18n } = context;
  const select = h('select', { 'aria-label': i18n.t('redraw.open'), hidden: true });
  select.append(h('option', { value: '' }, i18n.t('redraw.choose')));
  void plans.then((found) => {
    const drafts = found.filter(({ status, solved }) => status === 'draft' && solved);
    select.hidden = drafts.length === 0;
    for (const plan of drafts) select.append(h('option', { value: plan.id }, plan.name || plan.id));
  });
  select.addEventListener('change', () => {
    if (select.value) open(select.value);
  });
  return h(
    'div',
    { class: 'stack' },
    h('p', {}, i18n.t('redraw.noDraft')),
    h('button', { type: 'button', class: 'primary', onclick: start }, i18n.t('redraw.start')),
    select,
  );
}

export function toolChoice({ i18n }: Context, held: Held, changed: () => void): HTMLElement {
  const choices = TOOLS.map((name) => {
    const input = h('input', {
      type: 'radio',
      name: 'tool',
      value: name,
      checked: name === held.tool,
      onchange: () => {
        held.tool = name;
        size.hidden = name !== 'brush';
        changed();
      },
    });
    return h('label', { class: 'segment' }, input, h('span', {}, i18n.t(`redraw.tool.${name}`)));
  });
  const size = h('input', {
    type: 'range',
    min: 4,
    max: 160,
    value: held.size,
    'aria-label': i18n.t('redraw.size'),
    title: i18n.t('redraw.size'),
    hidden: held.tool !== 'brush',
    oninput: () => {
      held.size = Number(size.value);
    },
  });
  return h(
    'div',
    { class: 'row', role: 'radiogroup', 'aria-label': i18n.t('redraw.tool') },
    h('div', { class: 'segments' }, ...choices),
    size,
  );
}

export function targetChoice(
  { i18n }: Context,
  board: Board,
  to: number,
  choose: (to: number) => void,
): HTMLElement {
  const select = h('select', {
    id: 'redraw-to',
    'aria-label': i18n.t('redraw.to'),
    onchange: () => choose(Number(select.value)),
  });
  select.append(h('option', { value: NEW, selected: to === NEW }, i18n.t('redraw.new')));
  for (const [place, name] of gridNames(board)) {
    select.append(h('option', { value: place, selected: place === to }, name));
  }
  return h('label', { class: 'row' }, h('span', {}, i18n.t('redraw.to')), select);
}

export interface Steps {
  back(): void;
  again(): void;
  repair(): void;
}

export function stepButtons({ i18n }: Context, steps: Steps): HTMLElement {
  return h(
    'div',
    { class: 'row' },
    button(i18n.t('redraw.undo'), () => steps.back(), 'Ctrl+Z'),
    button(i18n.t('redraw.redo'), () => steps.again(), 'Ctrl+Shift+Z'),
    button(i18n.t('redraw.repair'), () => steps.repair()),
  );
}

export interface WholeGrid {
  merge(grid: number): void;
  split(grid: number): void;
  dissolve(grid: number): void;
}

export function wholeGrid({ i18n }: Context, board: Board, acts: WholeGrid): HTMLElement {
  const select = h('select', { 'aria-label': i18n.t('redraw.pick') });
  for (const [place, name] of gridNames(board)) select.append(h('option', { value: place }, name));
  const grid = (): number => Number(select.value);
  return h(
    'div',
    { class: 'stack' },
    h('h2', {}, i18n.t('redraw.grid')),
    h(
      'div',
      { class: 'row' },
      select,
      button(i18n.t('redraw.merge'), () => acts.merge(grid())),
      button(i18n.t('redraw.split'), () => acts.split(grid())),
      button(i18n.t('redraw.dissolve'), () => acts.dissolve(grid())),
    ),
  );
}

/** Places and names of the grids which are there. */
function gridNames(board: Board): [number, string][] {
  return shownGrids(board).map((grid) => [
    board.index.get(grid.code) ?? -1,
    grid.name && grid.name !== grid.code ? `${grid.code} ${grid.name}` : grid.code,
  ]);
}

export function button(text: string, onclick: () => void, key = ''): HTMLElement {
  return h('button', { type: 'button', class: 'plain', onclick, title: key || null }, text);
}
