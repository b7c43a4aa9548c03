/** Look at what is on the map: who owns a place, key figures, the table of grids, and a card of what is picked. */
import type { OwnerAnswer, OwnerQuestion } from '../../api.ts';
import { shownGrids, type Board } from '../../board.ts';
import { renderCard, type Picked } from '../../card.ts';
import { toWgs84 } from '../../crs.ts';
import { byId, fill, h } from '../../dom.ts';
import { renderFigures } from '../../figures.ts';
import { OwnerBox } from '../../owner.ts';
import type { Place } from '../../stage.ts';
import { GridTable } from '../../table.ts';
import type { Room, Workspace } from '../../workspace.ts';

export class SeeRoom implements Room {
  private readonly ownerRoot = h('div', { id: 'owner' });
  private readonly figuresRoot = h('div', { id: 'figures' });
  private readonly gridsRoot = h('div', { id: 'grids' });
  private readonly owner: OwnerBox;
  private readonly table: GridTable;
  private readonly ends: (() => void)[];
  private picked: Picked | null = null;
  /** Counts picks, so that answers which come too late are dropped. */
  private turn = 0;

  constructor(private readonly workspace: Workspace) {
    const { context } = workspace;
    this.owner = new OwnerBox(this.ownerRoot, context, (answer, question) => this.onAnswer(answer, question));
    this.table = new GridTable(this.gridsRoot, context, (code) => void this.pickGrid(code));
    const escape = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && this.picked) this.show(null);
    };
    document.addEventListener('keydown', escape);
    this.ends = [
      () => document.removeEventListener('keydown', escape),
      workspace.on('territory', () => this.owner.forget()),
      workspace.on('board', () => {
        this.show(null);
        this.renderBoard();
      }),
    ];
  }

  render(panel: HTMLElement): void {
    fill(panel, this.ownerRoot, this.figuresRoot, this.gridsRoot);
    this.show(null);
    this.renderBoard();
  }

  stop(): void {
    this.show(null);
    for (const end of this.ends) end();
  }

  private renderBoard(): void {
    const { board, context } = this.workspace;
    for (const root of [this.ownerRoot, this.figuresRoot, this.gridsRoot]) root.hidden = board === null;
    if (!board) return;
    // Only what is published is owned.
    this.ownerRoot.hidden = board.subject.publication === null;
    if (board.subject.publication) this.owner.render(board.territory.id, exampleOf(board));
    renderFigures(this.figuresRoot, context, board);
    this.table.render(board);
  }

  pick(place: Place): boolean {
    const { board } = this.workspace;
    if (!board) return false;
    if (board.subject.publication) void this.ask(board, place);
    else this.show(place.row < 0 ? null : { grid: this.gridAt(board, place.row), told: null });
    return true;
  }

  private async ask(board: Board, { lon, lat, row }: Place): Promise<void> {
    const { stage, context } = this.workspace;
    this.show({ grid: this.gridAt(board, row), told: 'asking' });
    void stage?.pinAt([lon, lat]);
    const turn = this.turn;
    const question: OwnerQuestion = { kind: 'point', lat: degrees(lat), lon: degrees(lon), crs: 'wgs84' };
    const told = await context.api.owner(board.territory.id, question).catch((error: Error) => error);
    if (turn !== this.turn) return;
    // Near a drawn border the service, not the picture, says whose the point is.
    const grid = told instanceof Error ? this.gridAt(board, row) : this.gridOf(board, told.grid?.code);
    this.picked = { grid, told };
    this.renderPicked();
    stage?.uncover([lon, lat], cardCover());
  }

  pickGrid(code: string): boolean {
    const { board, stage } = this.workspace;
    const grid = board && this.gridOf(board, code);
    if (!board || !grid) return false;
    this.show({ grid, told: null });
    // On a narrow screen the map may have been scrolled out of sight.
    byId('stage').scrollIntoView({ block: 'nearest' });
    stage?.zoomToGrid(board.index.get(code) ?? -1, cardCover().width);
    return true;
  }

  answered(answer: OwnerAnswer, question: OwnerQuestion): boolean {
    this.onAnswer(answer, question, false);
    return true;
  }

  private onAnswer(answer: OwnerAnswer | null, question: OwnerQuestion, said = true): void {
    const { board, stage } = this.workspace;
    if (!board) return;
    const point = placeOf(board, answer, question);
    this.show(answer && { grid: this.gridOf(board, answer.grid?.code), told: answer, said });
    void stage?.pinAt(point);
    if (point) stage?.goTo(point);
  }

  private show(picked: Picked | null): void {
    this.turn++;
    this.picked = picked;
    this.renderPicked();
    void this.workspace.stage?.pinAt(null);
  }

  private renderPicked(): void {
    const { board, stage, context } = this.workspace;
    const { picked } = this;
    const code = picked?.grid?.code ?? null;
    const told = picked?.told;
    const cell = told && typeof told === 'object' && 'cell' in told ? told.cell : null;
    this.table.select(code);
    const row = board && cell !== null ? board.ground.finder.rowOf(cell) : -1;
    void stage?.select(code === null ? -1 : (board?.index.get(code) ?? -1), row);
    if (board) renderCard(byId('card'), context, board, picked, () => this.show(null));
    else byId('card').hidden = true;
  }

  private gridAt(board: Board, row: number): Picked['grid'] {
    return board.grids[board.labels[row] ?? -1] ?? null;
  }

  private gridOf(board: Board, code: string | null | undefined): Picked['grid'] {
    return code == null ? null : (board.grids[board.index.get(code) ?? -1] ?? null);
  }
}

/** Degrees to about a decimetre, which is more than a click can mean. */
function degrees(value: number): number {
  return Number(value.toFixed(6));
}

/** The part of the map the card hides: from its left and top edge on; no width where it hides nearly all. */
function cardCover(): { left: number; top: number; width: number } {
  const { offsetLeft: left, offsetTop: top, offsetWidth } = byId('card');
  return { left, top, width: left > 200 ? offsetWidth : 0 };
}

/** Where to put the pin: the point asked for, or the middle of the answer's cell. */
function placeOf(board: Board, answer: OwnerAnswer | null, question: OwnerQuestion): [number, number] | null {
  if (question.kind === 'point') {
    const { lon, lat, crs } = question;
    const onEarth = Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
    return onEarth ? toWgs84(lon, lat, crs) : null;
  }
  const row = answer?.cell == null ? -1 : board.ground.finder.rowOf(answer.cell);
  return row < 0 ? null : board.ground.finder.middle(row);
}

/** A point which somebody owns. */
function exampleOf(board: Board): string {
  const first = shownGrids(board)[0];
  const label = first ? (board.index.get(first.code) ?? -1) : -1;
  const row = Math.max(0, board.labels.indexOf(label));
  const [lon, lat] = board.ground.finder.middle(row);
  return `${lat.toFixed(3)}, ${lon.toFixed(3)}`;
}
