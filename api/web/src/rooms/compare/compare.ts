/** Two plans on one map with a border to swipe, and who loses what to whom. */
import './compare.css';
import { addressOf, ApiError, type PlanDetail } from '../../api.ts';
import { describeError } from '../../answer.ts';
import type { Board } from '../../board.ts';
import { byId, fill, h } from '../../dom.ts';
import { Mark } from '../../mesh/layer.ts';
import type { Room, Workspace } from '../../workspace.ts';
import { swipeHandle } from './swipe.ts';

interface Pair {
  from: string | null;
  to: string | null;
  cells: number;
  customers?: number;
  measures: Record<string, number>;
}

interface Comparison {
  total: { cells: number };
  moved: { cells: number; share: { cells: number } };
  handed_over: { customers?: number; share: { customers?: number } };
  grid_moves: Pair[];
}

export class CompareRoom implements Room {
  private readonly ends: (() => void)[];
  private readonly told = h('div', {});
  private readonly choice = h('div', {});
  private other: Board | null = null;
  private handle: HTMLElement | null = null;
  private turn = 0;

  constructor(private readonly workspace: Workspace) {
    this.ends = [
      workspace.on('board', () => this.reset()),
      workspace.on('colouring', () => this.repaint()),
      workspace.on('lists', () => void this.renderChoice()),
    ];
  }

  render(panel: HTMLElement): void {
    fill(
      panel,
      h('div', {}, h('h2', {}, this.workspace.context.i18n.t('compare.title')), this.choice),
      this.told,
    );
    this.reset();
  }

  stop(): void {
    this.leave();
    for (const end of this.ends) end();
  }

  private reset(): void {
    this.leave();
    fill(this.told);
    void this.renderChoice();
  }

  /** Take the other plan off the map. */
  private leave(): void {
    this.turn++;
    this.handle?.remove();
    this.handle = null;
    this.other = null;
    void this.workspace.stage?.beside(null, null);
    void this.workspace.stage?.mark(null);
  }

  private async renderChoice(): Promise<void> {
    const { board, context, publications } = this.workspace;
    const { i18n } = context;
    if (!board) {
      fill(this.choice, h('p', { class: 'muted' }, i18n.t('compare.none')));
      return;
    }
    const turn = this.turn;
    const plans = (await this.workspace.plans()).filter(
      ({ solved, id }) => solved && id !== board.subject.plan.id,
    );
    if (turn !== this.turn) return;
    const select = h('select', { 'aria-label': i18n.t('compare.title') });
    select.append(h('option', { value: '' }, i18n.t('compare.choose')));
    for (const { n, line } of publications) {
      if (line !== board.subject.plan.line || n === board.subject.publication?.n) continue;
      select.append(h('option', { value: `publication:${n}` }, i18n.t('head.publication', { n })));
    }
    for (const plan of plans) select.append(h('option', { value: plan.id }, nameOf(plan)));
    select.addEventListener('change', () => {
      if (select.value) void this.compare(board, select.value, select.selectedOptions[0]?.textContent ?? '');
    });
    fill(this.choice, h('div', { class: 'row' }, select));
  }

  private async compare(board: Board, other: string, name: string): Promise<void> {
    this.leave();
    const turn = this.turn;
    const { workspace } = this;
    try {
      const found = await this.load(board, other);
      if (turn !== this.turn || !found) return;
      this.other = found;
      this.repaint();
      const { i18n } = workspace.context;
      const own = board.subject.publication
        ? i18n.t('head.publication', { n: board.subject.publication.n })
        : nameOf(board.subject.plan);
      this.handle = swipeHandle(
        i18n.t('compare.swipe'),
        [i18n.t('compare.left', { name: own }), i18n.t('compare.right', { name })],
        (share) => workspace.stage?.swipe(share),
      );
      byId('stage').append(this.handle);
      await this.tell(board, other);
    } catch (error) {
      fill(this.told, h('div', {}, describeError(error, workspace.context)));
      if (!(error instanceof ApiError)) throw error;
    }
  }

  private async load(board: Board, other: string): Promise<Board | null> {
    const n = /^publication:(\d+)$/.exec(other)?.[1];
    if (n === undefined) return this.workspace.boards.ofPlan(board.territory, other);
    const publication = this.workspace.publications.find(
      (item) => item.n === Number(n) && item.line === board.subject.plan.line,
    );
    return publication ? this.workspace.boards.ofPublication(board.territory, publication) : null;
  }

  private repaint(): void {
    const { other, workspace } = this;
    if (other) void workspace.stage?.beside(other, workspace.colouringOf(other));
  }

  private async tell(board: Board, other: string): Promise<void> {
    const { api, i18n, format } = this.workspace.context;
    const path = `/v1/plans/${board.subject.plan.id}/compare/${other}`;
    if (this.other?.ground !== board.ground) {
      fill(this.told, h('div', {}, h('p', { class: 'muted' }, i18n.t('compare.other'))));
      return;
    }
    const found = await api.get<Comparison>(path);
    const file = (form: string): string => addressOf(path, { format: form, lang: i18n.language });
    const { handed_over: handed, moved, total } = found;
    fill(
      this.told,
      h(
        'div',
        {},
        h(
          'p',
          {},
          moved.cells === 0
            ? i18n.t('compare.same')
            : i18n.t('compare.moved', {
                n: format.number(moved.cells),
                all: format.number(total.cells),
                share: format.percent(moved.share.cells),
              }),
        ),
        handed.customers !== undefined &&
          h(
            'p',
            {},
            i18n.t('compare.handed', {
              n: format.number(handed.customers),
              customers: i18n.customers(board.territory),
              share: format.percent(handed.share.customers ?? 0),
            }),
          ),
        h(
          'p',
          { class: 'row' },
          h('span', {}, i18n.t('compare.download')),
          h('a', { href: file('html'), target: '_blank', rel: 'noopener' }, i18n.t('compare.page')),
          h('a', { href: file('xlsx'), download: true }, i18n.t('compare.workbook')),
          h('a', { href: file('csv'), download: true }, 'CSV'),
        ),
        found.grid_moves.length > 0 && this.pairs(board, found.grid_moves),
      ),
    );
  }

  private pairs(board: Board, pairs: Pair[]): HTMLElement {
    const { i18n, format } = this.workspace.context;
    const head = (text: string): HTMLElement => h('th', { scope: 'col' }, text);
    const measures = board.measures;
    const rows = pairs.map((pair) =>
      h(
        'tr',
        {},
        h(
          'th',
          { scope: 'row' },
          h(
            'button',
            { type: 'button', title: i18n.t('compare.show'), onclick: () => this.show(board, pair) },
            `${pair.from ?? '–'} → ${pair.to ?? '–'}`,
          ),
        ),
        h('td', {}, format.number(pair.cells)),
        ...measures.map((name) => h('td', {}, format.compact(pair.measures[name] ?? 0))),
      ),
    );
    return h(
      'div',
      { class: 'pairs' },
      h('h2', {}, i18n.t('compare.pairs')),
      h(
        'div',
        { class: 'scroll-x', tabindex: '0', role: 'region', 'aria-label': i18n.t('compare.pairs') },
        h(
          'table',
          { class: 'measures' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              head(`${i18n.t('compare.from')} → ${i18n.t('compare.to')}`),
              head(i18n.t('compare.cells')),
              ...measures.map((name) => head(i18n.measure(name, board.territory))),
            ),
          ),
          h('tbody', {}, ...rows),
        ),
      ),
    );
  }

  /** Mark the cells which go from one grid to another, and bring them into sight. */
  private show(board: Board, { from, to }: Pair): void {
    const { other } = this;
    if (!other) return;
    const place = (of: Board, code: string | null): number =>
      code === null ? -1 : (of.index.get(code) ?? -2);
    const [before, after] = [place(other, from), place(board, to)];
    const marks = Uint8Array.from(board.labels, (label, row) =>
      label === after && other.labels[row] === before ? Mark.moved : Mark.none,
    );
    void this.workspace.stage?.mark(marks);
    const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
    marks.forEach((mark, row) => {
      if (mark === Mark.none) return;
      const [west, south, east, north] = board.ground.finder.boxOf(row);
      box[0] = Math.min(box[0], west);
      box[1] = Math.min(box[1], south);
      box[2] = Math.max(box[2], east);
      box[3] = Math.max(box[3], north);
    });
    if (box[0] <= box[2]) this.workspace.stage?.zoomToBox(box);
  }
}

function nameOf(plan: PlanDetail): string {
  return plan.name || plan.id;
}
