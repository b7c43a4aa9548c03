/** What is chosen on the map: with which tool, for which grid, and what it would do. */
import type { Board } from '../../board.ts';
import { Mark } from '../../mesh/layer.ts';
import type { Place, Tool } from '../../stage.ts';
import { currentTheme } from '../../theme.ts';
import type { Workspace } from '../../workspace.ts';
import type { Held } from './choices.ts';
import { Chosen, NEW, resolved, withNew } from './chosen.ts';
import { effectOf, type Effect } from './effect.ts';
import { brushTool, clickTool, shapeTool, type Strokes } from './tools.ts';

export class Easel {
  readonly held: Held = { tool: 'brush', size: 28 };
  /** Place of the grid which cells are given to. */
  to = NEW;
  chosen = new Chosen();
  effect: Effect | null = null;
  /** The frame before which what is chosen will be shown; 0 for none. */
  private frame = 0;

  constructor(
    private readonly workspace: Workspace,
    /** The effect is another. */
    private readonly changed: () => void,
    /** A grid was taken over from the map. */
    private readonly tookGrid: (to: number) => void,
  ) {}

  /** Take the tool in hand, or give the pointer back to the map. */
  take(open: boolean): void {
    this.workspace.stage?.use(open ? this.withPipette(this.makeTool()) : null);
    if (open) this.giveTo(this.to);
  }

  giveTo(to: number): void {
    this.to = to;
    void this.workspace.stage?.select(to, -1);
  }

  add(stroke: Map<number, number>): void {
    this.chosen.add(stroke);
    this.show();
  }

  /** Leave what is chosen; the map is not touched. */
  clear(): void {
    this.settleFrame();
    this.chosen.clear();
    this.effect = null;
  }

  /** Leave what is chosen, and show the board as it is. */
  forget(): void {
    this.clear();
    void this.workspace.preview(null).then(() => this.workspace.stage?.mark(null));
    this.changed();
  }

  /** Show what is chosen on the map, and what it would do; the numbers come first where `soon` is false. */
  show(soon = true): void {
    this.settleFrame();
    const { workspace } = this;
    const { board } = workspace;
    if (!board) return;
    const pending = this.chosen.now();
    const base = withNew(board, pending, workspace.context.i18n.t('redraw.new'));
    const effect = effectOf(base, resolved(pending, board));
    this.effect = effect;
    const marks = marksOf(board, effect, pending.keys(), this.chosen);
    const draw = async (): Promise<void> => {
      if (this.effect !== effect) return; // others came after it
      await workspace.preview(effect.board);
      await workspace.stage?.mark(marks);
    };
    if (soon) void draw();
    else requestAnimationFrame(() => setTimeout(() => void draw()));
    this.changed();
  }

  /** Show it before the next frame: a brush may touch cells many times between two. */
  private showSoon(): void {
    this.frame ||= requestAnimationFrame(() => this.show());
  }

  private settleFrame(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
  }

  private makeTool(): Tool {
    const strokes: Strokes = {
      finder: () => this.workspace.board?.ground.finder ?? null,
      size: () => this.held.size,
      touch: (rows, alt) => {
        this.chosen.touch(rows, alt ? -1 : this.to);
        this.showSoon();
      },
      end: () => {
        if (this.chosen.end()) this.show(false);
      },
    };
    const { tool } = this.held;
    if (tool === 'click') return clickTool(strokes);
    return tool === 'brush' ? brushTool(strokes) : shapeTool(strokes, tool, currentTheme().accent);
  }

  /** The right button takes over the grid under the pointer, whatever the tool. */
  private withPipette(tool: Tool): Tool {
    return {
      ...tool,
      down: (place, event) => {
        if (event.originalEvent.button !== 2) return tool.down?.(place, event) ?? false;
        this.takeGrid(place);
        return true;
      },
    };
  }

  private takeGrid({ row }: Place): void {
    const label = this.workspace.board?.labels[row] ?? -1;
    if (label < 0) return;
    this.tookGrid(label);
    this.giveTo(label);
  }
}

/** One byte a cell: what moves, what is locked, what others changed. */
function marksOf(board: Board, effect: Effect, rows: Iterable<number>, { conflicts }: Chosen): Uint8Array {
  const marks = new Uint8Array(board.labels.length);
  for (const row of rows) {
    if (effect.board.labels[row] !== board.labels[row]) marks[row] = Mark.moved;
  }
  for (const row of effect.locked) marks[row] = Mark.hatched;
  for (const { cell } of conflicts) {
    const row = board.ground.finder.rowOf(cell);
    if (row >= 0) marks[row] = Mark.conflict;
  }
  return marks;
}
