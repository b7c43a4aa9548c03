/** Moves on paper's sister, the workbook: it goes out for a branch or some grids, and what was marked comes back. */
import { describeError } from '../../answer.ts';
import { ApiError } from '../../api.ts';
import type { Board } from '../../board.ts';
import { fill, h } from '../../dom.ts';
import type { Workspace } from '../../workspace.ts';
import { effectOf } from '../redraw/effect.ts';
import { effectTable } from '../redraw/table.ts';

interface Verdict {
  row: number;
  cell: string;
  grid: string | null;
  to: string;
  verdict: string;
  taken: boolean;
  reason: string;
  reason_zh: string;
  cure: string;
  cure_zh: string;
}

interface Taken {
  revision: number;
  rows: Record<string, number>;
  verdicts: Verdict[];
  moves: { cell: string; to: string }[];
  moved: { moved: number } | null;
}

export class MoveSheets {
  readonly root = h('section', { class: 'move-sheets' });
  private readonly told = h('div', { 'aria-live': 'polite' });
  private plan = '';

  constructor(private readonly workspace: Workspace) {}

  /** @param codes grids which the sheet is of; none for the whole plan. */
  render(board: Board, codes: readonly string[]): void {
    const { i18n } = this.workspace.context;
    // After moves were made it is another board of the same plan, and what came of them stays told.
    const { id } = board.subject.plan;
    if (this.plan !== id) fill(this.told);
    this.plan = id;
    const query = new URLSearchParams([['lang', i18n.language], ...codes.map((code) => ['grid', code])]);
    const draft = board.subject.publication === null && board.subject.plan.status === 'draft';
    fill(
      this.root,
      h('h3', {}, i18n.t('paper.moves')),
      h('p', { class: 'muted small' }, i18n.t('paper.moves.help')),
      h('p', {}, h('a', { href: `${this.path(board)}?${query}`, download: true }, i18n.t('paper.moves.out'))),
      draft ? this.form(board) : h('p', { class: 'muted small' }, i18n.t('paper.moves.draft')),
      this.told,
    );
  }

  stop(): void {
    void this.workspace.preview(null);
  }

  private path(board: Board): string {
    return `/v1/plans/${board.subject.plan.id}/move-sheet`;
  }

  private form(board: Board): HTMLElement {
    const { i18n } = this.workspace.context;
    const file = h('input', { type: 'file', required: true, accept: '.xlsx,.csv' });
    const reason = h('input', { type: 'text', maxlength: 500 });
    const body = (more: Record<string, string>): FormData => {
      const made = new FormData();
      const [given] = file.files ?? [];
      if (given) made.set('file', given);
      if (reason.value.trim()) made.set('reason', reason.value.trim());
      for (const [name, value] of Object.entries(more)) made.set(name, value);
      return made;
    };
    const look = async (): Promise<void> => {
      const found = await this.send(board, body({ dry_run: 'true' }));
      this.show(board, found, () => void this.work(() => this.take(board, body({ skip_refused: 'true' }))));
    };
    return h(
      'form',
      {
        class: 'form',
        onsubmit: (event: Event) => {
          event.preventDefault();
          void this.work(look);
        },
      },
      h('label', { class: 'field' }, h('span', {}, i18n.t('paper.moves.file')), file),
      h('label', { class: 'field' }, h('span', {}, i18n.t('paper.moves.reason')), reason),
      h('div', {}, h('button', { type: 'submit', class: 'primary' }, i18n.t('paper.moves.try'))),
    );
  }

  private send(board: Board, body: FormData): Promise<Taken> {
    return this.workspace.context.api.post<Taken>(this.path(board), body);
  }

  private async take(board: Board, body: FormData): Promise<void> {
    const { i18n, format } = this.workspace.context;
    const found = await this.send(board, body);
    const words = i18n.t('paper.moves.done', { n: format.number(found.moved?.moved ?? 0) });
    await this.workspace.reload();
    fill(this.told, h('p', {}, h('strong', {}, words)));
  }

  /** What was marked on the map and in figures, the rows which do not hold, and the button which makes it so. */
  private show(board: Board, found: Taken, take: () => void): void {
    const { context } = this.workspace;
    const { i18n, format } = context;
    const pending = new Map(
      found.moves.map(({ cell, to }) => [board.ground.finder.rowOf(cell), board.index.get(to) ?? -1]),
    );
    const effect = effectOf(board, pending);
    void this.workspace.preview(effect.board);
    const n = found.moves.length;
    const refused = found.verdicts.filter(({ taken }) => !taken);
    const rest = Object.entries(found.rows)
      .filter(([name]) => name !== 'move')
      .reduce((sum, [, rows]) => sum + rows, 0);
    fill(
      this.told,
      h('p', {}, h('strong', {}, i18n.t('paper.moves.hold', { n: format.number(n) }))),
      n > 0 && effectTable(effect, board, context),
      rest > 0 && h('p', {}, i18n.t('paper.moves.refused', { n: format.number(rest) })),
      refused.length > 0 && h('ul', { class: 'verdicts' }, ...refused.map((one) => this.line(one))),
      n > 0 &&
        h(
          'button',
          { type: 'button', class: 'primary', onclick: take },
          i18n.t('paper.moves.take', { n: format.number(n) }),
        ),
    );
  }

  private line({ row, cell, to, reason, reason_zh, cure, cure_zh }: Verdict): HTMLElement {
    const { i18n } = this.workspace.context;
    const zh = i18n.language === 'zh';
    return h(
      'li',
      {},
      h('strong', {}, i18n.t('paper.moves.row', { row })),
      ` ${cell} → ${to}: ${zh ? reason_zh : reason}`,
      h('span', { class: 'second' }, zh ? cure_zh : cure),
    );
  }

  private async work(todo: () => Promise<void>): Promise<void> {
    try {
      await todo();
    } catch (error) {
      fill(this.told, describeError(error, this.workspace.context));
      if (!(error instanceof ApiError)) throw error;
    }
  }
}
