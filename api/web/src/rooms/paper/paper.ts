/** Grids on paper: a page each, printed by the browser or kept as a picture. */
import './paper.css';
import { ApiError, type GridProperties } from '../../api.ts';
import { shownGrids, teamName, type Board } from '../../board.ts';
import { LIGHT } from '../../colour.ts';
import { makeColouring, type Colouring } from '../../colouring.ts';
import { fill, h } from '../../dom.ts';
import type { Place } from '../../stage.ts';
import type { Room, Workspace } from '../../workspace.ts';
import { drawMap } from './map.ts';
import { MoveSheets } from './moves.ts';
import { drawPicture, MAP } from './picture.ts';
import { sheetOf, type Flow, type Sheet } from './sheet.ts';

const CHOICES = ['one', 'team', 'branch', 'all'] as const;

export class PaperRoom implements Room {
  private readonly ends: (() => void)[];
  private panel: HTMLElement | null = null;
  private which: (typeof CHOICES)[number] = 'one';
  private code = '';
  private flows: readonly Flow[] | null = null;
  private colouring: Colouring | null = null;
  private turn = 0;
  private readonly moves: MoveSheets;

  constructor(private readonly workspace: Workspace) {
    this.moves = new MoveSheets(workspace);
    this.ends = [workspace.on('board', () => void this.start())];
  }

  render(panel: HTMLElement): void {
    this.panel = panel;
    void this.start();
  }

  stop(): void {
    this.turn++;
    for (const end of this.ends) end();
    this.moves.stop();
    void this.workspace.stage?.select(-1, -1);
  }

  pick({ row }: Place): boolean {
    const { board } = this.workspace;
    const grid = board?.grids[board.labels[row] ?? -1];
    if (!grid) return false;
    this.code = grid.code;
    this.show();
    return true;
  }

  private async start(): Promise<void> {
    const turn = ++this.turn;
    const { board, measure, context } = this.workspace;
    if (board) {
      this.colouring = makeColouring('grid', measure, board, LIGHT, context);
      this.flows = await this.flowsOf(board);
      if (turn !== this.turn) return;
      if (!board.index.has(this.code)) this.code = shownGrids(board)[0]?.code ?? '';
    }
    this.show();
  }

  /** Who comes and goes against the publication before; null where there is none it can be compared with. */
  private async flowsOf({ subject, territory }: Board): Promise<Flow[] | null> {
    const { publication, plan } = subject;
    const line = publication?.line ?? plan.line;
    const before = this.workspace.publications
      .filter((one) => one.line === line && (publication === null || one.n < publication.n))
      .sort((a, b) => b.n - a.n)[0];
    if (!before || before.tiling !== plan.tiling || territory.id !== before.territory) return null;
    try {
      const path = `/v1/plans/${plan.id}/compare/publication:${before.n}`;
      return (await this.workspace.context.api.get<{ grid_moves: Flow[] }>(path)).grid_moves;
    } catch (error) {
      if (error instanceof ApiError) return null;
      throw error;
    }
  }

  private show(): void {
    const { board, context, stage } = this.workspace;
    const { i18n } = context;
    if (!this.panel) return;
    const title = h('h2', {}, i18n.t('room.paper'));
    if (!board || !this.colouring) {
      fill(this.panel, h('div', {}, title, h('p', { class: 'muted' }, i18n.t('paper.noBoard'))));
      return;
    }
    const at = board.index.get(this.code) ?? 0;
    void stage?.select(at, -1);
    const chosen = this.chosen(board);
    const sheet = sheetOf(board, at, this.flows, context);
    const picture = drawPicture(sheet, this.mapOf(board, at));
    picture.className = 'paper-preview';
    picture.setAttribute('role', 'img');
    picture.setAttribute('aria-label', i18n.t('paper.preview', { code: this.code }));
    fill(
      this.panel,
      h(
        'div',
        { class: 'paper-room' },
        title,
        h('p', { class: 'muted small' }, i18n.t('paper.help')),
        this.choices(board),
        h(
          'div',
          { class: 'row' },
          h(
            'button',
            { type: 'button', class: 'primary', onclick: () => this.print(board, chosen) },
            i18n.t('paper.print', { n: chosen.length }),
          ),
          h(
            'button',
            { type: 'button', class: 'plain', onclick: () => void save(picture, `${this.code}.png`) },
            i18n.t('paper.png'),
          ),
        ),
        picture,
        this.moves.root,
      ),
    );
    this.moves.render(board, this.which === 'all' ? [] : chosen);
  }

  private choices(board: Board): HTMLElement {
    const { i18n } = this.workspace.context;
    const branches = board.grids.some(({ parent }) => parent !== null);
    const which = CHOICES.filter((name) => name !== 'branch' || branches).map((name) =>
      h(
        'label',
        { class: 'segment' },
        h('input', {
          type: 'radio',
          name: 'paper-which',
          checked: name === this.which,
          onchange: () => {
            this.which = name;
            this.show();
            this.panel?.querySelector<HTMLElement>('input[name=paper-which]:checked')?.focus();
          },
        }),
        h('span', {}, i18n.t(`paper.which.${name}`)),
      ),
    );
    const grid = h(
      'select',
      {
        'aria-label': i18n.t('paper.grid'),
        onchange: () => {
          this.code = grid.value;
          this.show();
          this.panel?.querySelector('select')?.focus();
        },
      },
      ...shownGrids(board).map(({ code, name, team_name }) =>
        h(
          'option',
          { value: code, selected: code === this.code },
          [code, name, team_name].filter(Boolean).join(' · '),
        ),
      ),
    );
    return h(
      'div',
      { class: 'row' },
      h('div', { class: 'segments', role: 'radiogroup', 'aria-label': i18n.t('paper.which') }, ...which),
      grid,
    );
  }

  private chosen(board: Board): string[] {
    const here = board.grids[board.index.get(this.code) ?? 0] ?? board.grids[0]!;
    const belongs = {
      one: (grid: GridProperties) => grid.code === this.code,
      team: (grid: GridProperties) => teamName(grid) === teamName(here),
      branch: (grid: GridProperties) => grid.parent === here.parent,
      all: () => true,
    }[this.which];
    return shownGrids(board)
      .filter(belongs)
      .map(({ code }) => code);
  }

  private mapOf(board: Board, at: number): HTMLCanvasElement {
    const canvas = h('canvas', MAP);
    if (this.colouring) drawMap(canvas, board, at, this.colouring);
    return canvas;
  }

  /** Lay the pages out for the printer alone, and take them away again. */
  private print(board: Board, codes: readonly string[]): void {
    document.getElementById('pages')?.remove();
    const pages = codes.map((code) => {
      const at = board.index.get(code) ?? 0;
      return pageOf(sheetOf(board, at, this.flows, this.workspace.context), this.mapOf(board, at));
    });
    const root = h('div', { id: 'pages' }, ...pages);
    const done = (): void => {
      root.remove();
      document.body.classList.remove('on-pages');
    };
    document.body.append(root);
    document.body.classList.add('on-pages');
    addEventListener('afterprint', done, { once: true });
    print();
  }
}

function pageOf(sheet: Sheet, map: HTMLCanvasElement): HTMLElement {
  return h(
    'section',
    { class: 'paper-page' },
    h('h1', {}, sheet.title),
    h('p', { class: 'paper-head' }, sheet.lines.join(' · ')),
    map,
    h('dl', {}, ...sheet.facts.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    ...sheet.sections.flatMap(({ title, lines }) => [
      h('h2', {}, title),
      h('ul', {}, ...lines.map((line) => h('li', {}, line))),
    ]),
    sheet.watermark && h('p', { class: 'paper-mark', 'aria-hidden': 'true' }, sheet.watermark),
  );
}

async function save(canvas: HTMLCanvasElement, name: string): Promise<void> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) return;
  const url = URL.createObjectURL(blob);
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
