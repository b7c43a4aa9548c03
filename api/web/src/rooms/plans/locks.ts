/** What is to stay as it is: grids and cells locked, by name or by a click on the map. */
import type { Board } from '../../board.ts';
import { fill, h } from '../../dom.ts';
import { Mark } from '../../mesh/layer.ts';
import type { Workspace } from '../../workspace.ts';
import type { Lock } from './solving.ts';

export class Locks {
  readonly root = h('fieldset', {});
  /** Locked rows of the board they were locked on. */
  private rows = new Set<number>();
  private board: Board | null = null;

  /** @param picking which kind of click is wanted now, and how to want it. */
  constructor(
    private readonly workspace: Workspace,
    private readonly picking: { now(): string | null; toggle(what: 'grid' | 'cell'): void },
  ) {}

  /** Locks as they are sent. */
  wanted(): Lock[] {
    const { board } = this;
    if (!board) return [];
    return [...this.rows].map((row) => ({
      cell: board.ground.columns.cells[row] ?? '',
      grid: board.grids[board.labels[row] ?? -1]?.code ?? null,
    }));
  }

  /** A click on a cell: lock it or its grid, or unlock what is locked. */
  pick(row: number, what: 'grid' | 'cell'): void {
    const { board } = this;
    const label = board?.labels[row] ?? -1;
    if (!board || label < 0) return;
    this.set(what === 'cell' ? [row] : rowsOf(board, label), !this.rows.has(row));
  }

  private set(rows: Iterable<number>, on: boolean): void {
    for (const row of rows) {
      if (on) this.rows.add(row);
      else this.rows.delete(row);
    }
    this.render();
  }

  /** Follow what is on the map: locks belong to one plan. `tiling` is the one which is to be solved. */
  render(tiling: string | null = this.board?.subject.plan.tiling ?? null): void {
    const { context, board } = this.workspace;
    const { i18n, format } = context;
    const usable = board !== null && board.subject.plan.tiling === tiling ? board : null;
    if (usable?.subject.plan.id !== this.board?.subject.plan.id) this.rows.clear();
    this.board = usable;
    const legend = h('legend', {}, i18n.t('plans.locks'));
    if (!usable) {
      fill(this.root, legend, h('p', { class: 'muted small' }, i18n.t('plans.locks.other')));
      return;
    }
    this.mark();
    const select = h('select', { 'aria-label': i18n.t('plans.locks.grid') });
    usable.grids.forEach(({ code, name, cells }, i) => {
      if (cells > 0) select.append(h('option', { value: i }, [code, name].filter(Boolean).join(' ')));
    });
    const counts = countOf(usable, this.rows);
    fill(
      this.root,
      legend,
      h(
        'div',
        { class: 'row' },
        select,
        button(i18n.t('plans.locks.add'), () => this.set(rowsOf(usable, Number(select.value)), true)),
      ),
      h(
        'div',
        { class: 'row' },
        ...(['grid', 'cell'] as const).map((what) =>
          button(
            i18n.t(`plans.locks.pick.${what}`),
            () => this.picking.toggle(what),
            this.picking.now() === what,
          ),
        ),
      ),
      counts.size === 0
        ? h('p', { class: 'muted small' }, i18n.t('plans.locks.none'))
        : h(
            'ul',
            { class: 'locked' },
            ...[...counts].map(([label, n]) => {
              const { code = '' } = usable.grids[label] ?? {};
              const drop = button('×', () => this.set(rowsOf(usable, label), false));
              drop.setAttribute('aria-label', i18n.t('plans.locks.drop', { code }));
              return h('li', {}, i18n.t('plans.locks.one', { code, n: format.number(n) }), ' ', drop);
            }),
          ),
    );
  }

  /** Show on the map what is locked. */
  mark(): void {
    const { board } = this;
    if (!board || this.workspace.board !== board) return;
    const marks = new Uint8Array(board.labels.length);
    for (const row of this.rows) marks[row] = Mark.chosen;
    void this.workspace.stage?.mark(this.rows.size > 0 ? marks : null);
  }
}

function button(text: string, onclick: () => void, pressed?: boolean): HTMLButtonElement {
  return h(
    'button',
    {
      type: 'button',
      class: 'plain',
      'aria-pressed': pressed === undefined ? null : String(pressed),
      onclick,
    },
    text,
  );
}

/** Rows of a grid, given by its place in the board's list. */
export function rowsOf({ labels }: Pick<Board, 'labels'>, label: number): number[] {
  const rows: number[] = [];
  labels.forEach((each, row) => {
    if (each === label) rows.push(row);
  });
  return rows;
}

/** How many of the rows are in each grid, in the order of the grids. */
export function countOf({ labels }: Pick<Board, 'labels'>, rows: Iterable<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const row of rows) {
    const label = labels[row] ?? -1;
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return new Map([...counts].sort(([a], [b]) => a - b));
}
