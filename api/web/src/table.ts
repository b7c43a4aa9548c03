/** The table of grids: filter, sort, pick. */
import type { GridProperties } from './api.ts';
import { deviationBar } from './bar.ts';
import { h } from './dom.ts';
import { arrange, nextSort, sameColumn, type Column, type Sort } from './sorting.ts';
import { shownGrids, teamName, toleranceOf, type Board } from './board.ts';
import type { Context } from './context.ts';

interface Head {
  column: Column;
  button: HTMLButtonElement;
}

export class GridTable {
  private sort: Sort = { column: { by: 'code' }, descending: false };
  private filter = '';
  private picked: string | null = null;
  private heads: Head[] = [];
  private readonly body = h('tbody');
  private readonly count = h('span', { class: 'muted', role: 'status' });

  constructor(
    private readonly root: HTMLElement,
    private readonly context: Context,
    private readonly onPick: (code: string) => void,
  ) {}

  render(board: Board): void {
    const { i18n } = this.context;
    const input = h('input', {
      type: 'search',
      value: this.filter,
      placeholder: i18n.t('table.filter'),
      'aria-label': i18n.t('table.filter'),
      oninput: () => {
        this.filter = input.value;
        this.renderRows(board);
      },
    });
    this.heads = [];
    const table = h('table', {}, this.headRow(board), this.body);
    this.root.replaceChildren(
      h('div', { class: 'bar-title' }, h('h2', {}, i18n.t('table.title')), this.count, input),
      h(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': i18n.t('table.title') },
        table,
      ),
    );
    this.renderRows(board);
  }

  /** Mark a grid's row and bring it into sight. */
  select(code: string | null): void {
    this.picked = code;
    for (const row of this.body.rows) {
      const chosen = code !== null && row.dataset['code'] === code;
      row.classList.toggle('picked', chosen);
      if (chosen) this.reveal(row);
    }
  }

  /** Scroll the table alone, so that the page around it stays where it is. */
  private reveal(row: HTMLElement): void {
    const box = row.closest<HTMLElement>('.scroll');
    const head = box?.querySelector('thead')?.offsetHeight ?? 0;
    if (!box) return;
    const above = row.offsetTop - head - box.scrollTop;
    const below = row.offsetTop + row.offsetHeight - box.scrollTop - box.clientHeight;
    if (above < 0) box.scrollTop += above;
    else if (below > 0) box.scrollTop += below;
  }

  private headRow(board: Board): HTMLElement {
    const { i18n } = this.context;
    const texts = (pair: readonly ('code' | 'name' | 'team' | 'lead')[]): HTMLElement =>
      h(
        'th',
        { scope: 'col' },
        ...pair.map((by) => {
          const name = i18n.t(`table.${by}`);
          return this.head({ by }, name, i18n.t('table.sort', { column: name }), board);
        }),
      );
    const numbers = board.measures.map((measure) => {
      const name = i18n.measure(measure, board.territory);
      const byTotal = i18n.t('table.sort', { column: name });
      const byDeviation = i18n.t('table.sortDeviation', { measure: name });
      return h(
        'th',
        { scope: 'col', class: 'number' },
        this.head({ by: 'measure', measure }, name, byTotal, board),
        this.head({ by: 'deviation', measure }, i18n.t('table.deviation'), byDeviation, board),
      );
    });
    return h('thead', {}, h('tr', {}, texts(['code', 'name']), texts(['team', 'lead']), ...numbers));
  }

  private head(column: Column, text: string, label: string, board: Board): HTMLElement {
    const button = h('button', { type: 'button', title: label, 'aria-label': label }, text);
    button.addEventListener('click', () => {
      this.sort = nextSort(this.sort, column);
      this.renderRows(board);
    });
    this.heads.push({ column, button });
    return button;
  }

  private renderRows(board: Board): void {
    const all = shownGrids(board);
    const rows = arrange(all, this.filter, this.sort, this.context.i18n.locale);
    this.body.replaceChildren(...rows.map((grid) => this.row(grid, board)));
    if (rows.length === 0) {
      const cell = h(
        'td',
        { colspan: 2 + board.measures.length, class: 'muted' },
        this.context.i18n.t('table.none'),
      );
      this.body.append(h('tr', {}, cell));
    }
    this.count.textContent = this.context.i18n.t('table.count', { shown: rows.length, all: all.length });
    this.markHeads();
  }

  private markHeads(): void {
    for (const { button } of this.heads) {
      button.removeAttribute('data-sorted');
      button.closest('th')?.removeAttribute('aria-sort');
    }
    const current = this.heads.find(({ column }) => sameColumn(column, this.sort.column));
    const direction = this.sort.descending ? 'descending' : 'ascending';
    current?.button.setAttribute('data-sorted', direction);
    current?.button.closest('th')?.setAttribute('aria-sort', direction);
  }

  private row(grid: GridProperties, board: Board): HTMLElement {
    const { i18n, format } = this.context;
    const label = i18n.t('table.zoom', { code: grid.code });
    const numbers = board.measures.map((measure) => {
      const deviation = grid.deviation[measure];
      const tolerance = toleranceOf(board, measure);
      const beyond = Math.abs(deviation ?? 0) > tolerance;
      return h(
        'td',
        { class: 'number' },
        h('span', { class: 'total' }, format.compact(grid.measures[measure] ?? 0)),
        h('span', { class: beyond ? 'share beyond' : 'share' }, format.deviation(deviation)),
        deviationBar(deviation, tolerance),
      );
    });
    return h(
      'tr',
      {
        'data-code': grid.code,
        class: grid.code === this.picked ? 'picked' : null,
        onclick: () => this.onPick(grid.code),
      },
      h(
        'th',
        { scope: 'row' },
        h('button', { type: 'button', class: 'code', 'aria-label': label, title: label }, grid.code),
        grid.carve_out && h('span', { class: 'tag' }, i18n.t('table.carveOut')),
        h('span', { class: 'second' }, grid.name ?? ''),
      ),
      h(
        'td',
        { class: 'team', title: teamName(grid) },
        h('span', {}, teamName(grid)),
        h('span', { class: 'second' }, grid.lead_name ?? ''),
      ),
      ...numbers,
    );
  }
}
