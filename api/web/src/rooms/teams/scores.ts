/** The scorecard: each grid's figures, score and rank. */
import type { Board } from '../../board.ts';
import { h } from '../../dom.ts';
import { scorecardOf, type ScoreGrid } from './api.ts';
import { downloads } from './loads.ts';
import type { Desk, View } from './view.ts';

export async function scoresView(desk: Desk): Promise<View> {
  const board = desk.workspace.board as Board;
  const { i18n } = desk.workspace.context;
  const card = await desk.teams.scorecard(board);
  const rank = ({ score }: ScoreGrid): number => score?.rank ?? Infinity;
  const grids = [...card.grids].sort((a, b) => rank(a) - rank(b) || a.code.localeCompare(b.code));
  const figures = [...new Set(grids.flatMap((grid) => Object.keys(grid.figures)))];
  const name = (figure: string): string => i18n.has(`teams.figure.${figure}`) ?? figure;
  const { path, query } = scorecardOf(board);
  const head = [
    i18n.t('teams.rank'),
    i18n.t('teams.hand.which'),
    i18n.t('teams.score'),
    ...figures.map(name),
  ];
  return {
    root: h(
      'div',
      {},
      h('p', { class: 'muted small' }, i18n.t('teams.score.help')),
      card.absent.length > 0 &&
        h(
          'p',
          { class: 'muted small' },
          i18n.t('teams.absent', { figures: card.absent.map(({ figure }) => name(figure)).join(', ') }),
        ),
      h(
        'div',
        {
          class: 'scroll-x team-scores',
          tabindex: '0',
          role: 'region',
          'aria-label': i18n.t('teams.view.scores'),
        },
        h(
          'table',
          {},
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ...head.map((text, i) => h('th', { scope: 'col', class: i === 1 ? null : 'figure' }, text)),
            ),
          ),
          h('tbody', {}, ...grids.map((grid) => scoreRow(grid, figures, board, desk))),
        ),
      ),
      downloads(path, query, desk),
    ),
    stop: () => void desk.workspace.stage?.select(-1, -1),
  };
}

function scoreRow(grid: ScoreGrid, figures: string[], board: Board, desk: Desk): HTMLElement {
  const { i18n, format } = desk.workspace.context;
  const rank = grid.score?.rank;
  const text = (value: number | null | undefined): string =>
    value == null ? '–' : Math.abs(value) < 100 ? value.toFixed(1) : format.compact(value);
  const look = (): void => {
    const at = board.index.get(grid.code) ?? -1;
    void desk.workspace.stage?.select(at, -1);
    desk.workspace.stage?.zoomToGrid(at);
  };
  return h(
    'tr',
    {},
    h(
      'td',
      { class: 'figure' },
      rank == null ? '–' : grid.score?.tied ? i18n.t('teams.rank.tied', { rank }) : String(rank),
    ),
    h('th', { scope: 'row' }, h('button', { type: 'button', class: 'code', onclick: look }, grid.code)),
    h('td', { class: 'figure strong' }, text(grid.score?.value)),
    ...figures.map((figure) =>
      h('td', { class: 'figure' }, figureText(figure, grid, text, format.compact.bind(format))),
    ),
  );
}

function figureText(
  figure: string,
  grid: ScoreGrid,
  text: (value: number | null | undefined) => string,
  whole: (value: number) => string,
): string {
  const value = grid.figures[figure]?.value;
  return figure === 'customers' && value != null ? whole(value) : text(value);
}
