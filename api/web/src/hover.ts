/** A small card beside the pointer: the grid and the cell under it. */
import { teamName, type Board } from './board.ts';
import type { Context } from './context.ts';
import { fill, h, withVars } from './dom.ts';
import type { Place } from './stage.ts';

export class HoverCard {
  private row = -1;

  constructor(
    private readonly root: HTMLElement,
    private readonly context: Context,
  ) {
    // The map does not always learn that the pointer has left it, as while it is worked by keyboard.
    document.addEventListener('pointerover', ({ target }) => {
      if (target instanceof Element && target.closest('#map') === null) this.hide();
    });
    document.documentElement.addEventListener('pointerleave', () => this.hide());
  }

  hide(): void {
    this.show(null, null, null);
  }

  /** @param at pixels from the left and top of the map; null hides the card. */
  show(board: Board | null, place: Place | null, at: { x: number; y: number } | null): void {
    const row = place?.row ?? -1;
    this.root.hidden = !board || row < 0 || !at;
    if (!board || row < 0 || !at) {
      this.row = -1;
      return;
    }
    withVars(this.root, { '--x': `${at.x}px`, '--y': `${at.y}px` });
    // It opens towards the middle, so that it never leaves the map.
    const { clientWidth, clientHeight } = this.root.parentElement ?? document.body;
    this.root.classList.toggle('leftwards', at.x > clientWidth / 2);
    this.root.classList.toggle('upwards', at.y > clientHeight / 2);
    if (row !== this.row) this.fill(board, row);
    this.row = row;
  }

  private fill(board: Board, row: number): void {
    const { i18n, format } = this.context;
    const grid = board.grids[board.labels[row] ?? -1];
    const { columns } = board.ground;
    const values = Object.keys(columns.measures).map(
      (name) =>
        `${i18n.measure(name, board.territory)} ${format.compact(columns.measures[name]?.[row] ?? 0)}`,
    );
    fill(
      this.root,
      h('strong', {}, grid ? [grid.code, grid.name].filter(Boolean).join(' ') : i18n.t('card.nobody')),
      grid && h('span', { class: 'second' }, [teamName(grid), grid.lead_name].filter(Boolean).join(' · ')),
      h('span', { class: 'second' }, `${i18n.t('card.cell')} ${columns.cells[row] ?? ''}`),
      h('span', { class: 'second' }, values.join(' · ')),
    );
  }
}
