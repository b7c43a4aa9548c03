/** Which grids are in sight, as long as their customers are few enough to be read one by one. */
import type { Board } from './board.ts';

export const MOST_CUSTOMERS = 6000;

/** @returns codes of the grids with cells in the box; null where they have too many customers. */
export function seenGrids(board: Board, box: readonly [number, number, number, number]): string[] | null {
  const labels = new Set(board.ground.finder.near(box).map((row) => board.labels[row] ?? -1));
  labels.delete(-1);
  const { customers } = board.ground.columns.measures;
  let all = 0;
  if (customers) {
    board.labels.forEach((label, row) => {
      if (labels.has(label)) all += customers[row] ?? 0;
    });
  } else if (labels.size > 3) return null;
  if (all > MOST_CUSTOMERS) return null;
  return [...labels].map((label) => board.grids[label]?.code ?? '').sort();
}
