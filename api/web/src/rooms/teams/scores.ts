/** The scorecard: figures, score and rank of each grid, and of each team by its grids. */
import type { Board } from '../../board.ts';
import { fill, h } from '../../dom.ts';
import type { Format } from '../../format.ts';
import type { I18n } from '../../i18n.ts';
import { Mark } from '../../mesh/layer.ts';
import { scorecardOf, type Scorecard, type ScoreGrid } from './api.ts';
import { downloads } from './loads.ts';
import { ADDED, teamScores, type TeamScore } from './team-scores.ts';
import type { Desk, View } from './view.ts';

type Whose = 'grids' | 'teams';

export async function scoresView(desk: Desk): Promise<View> {
  const board = desk.workspace.board as Board;
  const { i18n } = desk.workspace.context;
  const card = await desk.teams.scorecard(board);
  const table = h('div', {});
  const show = (whose: Whose): void =>
    fill(
      table,
      h('p', { class: 'muted small' }, i18n.t(`teams.score.help.${whose}`)),
      scroll(whose === 'grids' ? gridTable(card, board, desk) : teamTable(card, board, desk), i18n),
    );
  const sides = (['grids', 'teams'] as const).map((whose) =>
    h(
      'label',
      { class: 'segment' },
      h('input', {
        type: 'radio',
        name: 'scores-of',
        checked: whose === 'grids',
        onchange: () => show(whose),
      }),
      h('span', {}, i18n.t(`teams.scores.${whose}`)),
    ),
  );
  const { path, query } = scorecardOf(board);
  show('grids');
  return {
    root: h(
      'div',
      {},
      h('div', { class: 'segments', role: 'radiogroup', 'aria-label': i18n.t('teams.scores.of') }, ...sides),
      table,
      card.absent.length > 0 &&
        h(
          'p',
          { class: 'muted small' },
          i18n.t('teams.absent', {
            figures: card.absent.map(({ figure }) => nameOfFigure(figure, i18n)).join(', '),
          }),
        ),
      downloads(path, query, desk),
    ),
    stop: () => void desk.workspace.stage?.select(-1, -1),
  };
}

function scroll(table: HTMLElement, i18n: I18n): HTMLElement {
  return h(
    'div',
    {
      class: 'scroll-x team-scores',
      tabindex: '0',
      role: 'region',
      'aria-label': i18n.t('teams.view.scores'),
    },
    table,
  );
}

function nameOfFigure(figure: string, i18n: I18n): string {
  return i18n.has(`teams.figure.${figure}`) ?? figure;
}

function headed(head: readonly string[], rows: readonly HTMLElement[]): HTMLElement {
  const cells = head.map((text, i) => h('th', { scope: 'col', class: i === 1 ? null : 'figure' }, text));
  return h('table', {}, h('thead', {}, h('tr', {}, ...cells)), h('tbody', {}, ...rows));
}

function gridTable(card: Scorecard, board: Board, desk: Desk): HTMLElement {
  const { i18n } = desk.workspace.context;
  const rank = ({ score }: ScoreGrid): number => score?.rank ?? Infinity;
  const grids = [...card.grids].sort((a, b) => rank(a) - rank(b) || a.code.localeCompare(b.code));
  const figures = figuresOf(card);
  const head = ['teams.rank', 'teams.hand.which', 'teams.score'] as const;
  return headed(
    [...head.map((key) => i18n.t(key)), ...figures.map((figure) => nameOfFigure(figure, i18n))],
    grids.map((grid) => scoreRow(grid, figures, board, desk)),
  );
}

function figuresOf({ grids }: Scorecard): string[] {
  return [...new Set(grids.flatMap((grid) => Object.keys(grid.figures)))];
}

/** A row a team, of what its grids come to together. */
function teamTable(card: Scorecard, board: Board, desk: Desk): HTMLElement {
  const { i18n } = desk.workspace.context;
  const figures = figuresOf(card).filter((figure) => ADDED.includes(figure) || figure === 'density');
  const head = ['teams.rank', 'teams.team', 'teams.score', 'teams.loads.grids'] as const;
  return headed(
    [...head.map((key) => i18n.t(key)), ...figures.map((figure) => nameOfFigure(figure, i18n))],
    teamScores(card.grids).map((team) => teamRow(team, figures, board, desk)),
  );
}

function teamRow(team: TeamScore, figures: string[], board: Board, desk: Desk): HTMLElement {
  const { workspace } = desk;
  const { i18n, format } = workspace.context;
  const look = (): void => {
    const at = team.grids.map((code) => board.index.get(code) ?? -1);
    const chosen = new Set(at);
    void workspace.stage?.mark(
      Uint8Array.from(board.labels, (label) => (chosen.has(label) ? Mark.chosen : Mark.none)),
    );
    workspace.stage?.zoomToGrids(at);
  };
  const rank = team.rank === null ? '–' : String(team.rank);
  return h(
    'tr',
    {},
    h('td', { class: 'figure' }, team.tied ? i18n.t('teams.rank.tied', { rank }) : rank),
    h('th', { scope: 'row' }, h('button', { type: 'button', class: 'code', onclick: look }, team.name)),
    h('td', { class: 'figure strong' }, textOf(team.score, format)),
    h('td', { class: 'figure' }, format.number(team.grids.length)),
    ...figures.map((figure) =>
      h('td', { class: 'figure' }, figureText(figure, team.figures[figure] ?? null, format)),
    ),
  );
}

function scoreRow(grid: ScoreGrid, figures: string[], board: Board, desk: Desk): HTMLElement {
  const { i18n, format } = desk.workspace.context;
  const rank = grid.score?.rank;
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
    h('td', { class: 'figure strong' }, textOf(grid.score?.value ?? null, format)),
    ...figures.map((figure) =>
      h('td', { class: 'figure' }, figureText(figure, grid.figures[figure]?.value ?? null, format)),
    ),
  );
}

function textOf(value: number | null, format: Format): string {
  if (value === null) return '–';
  return Math.abs(value) < 100 ? value.toFixed(1) : format.compact(value);
}

function figureText(figure: string, value: number | null, format: Format): string {
  return figure === 'customers' && value !== null ? format.compact(value) : textOf(value, format);
}
