/** Goes to what was looked for: on the map, and in the room where it has something to say. */
import { ApiError } from './api.ts';
import { describeError } from './answer.ts';
import type { Found } from './search.ts';
import type { Room, Workspace } from './workspace.ts';

/** @returns why it cannot be shown; null where it is. */
export async function goToFound(
  found: Found,
  workspace: Workspace,
  room: Room | null,
): Promise<string | null> {
  const { board, stage } = workspace;
  if (!board) return null;
  if (found.kind === 'customer') return goToCustomer(found.id, workspace, room);
  if (found.kind === 'grid') {
    if (room?.pickGrid?.(board.grids[found.grid]?.code ?? '')) return null;
    void stage?.select(found.grid, -1);
    stage?.zoomToGrid(found.grid);
  } else if (found.kind === 'team') {
    void stage?.select(found.grids[0] ?? -1, -1);
    stage?.zoomToGrids(found.grids);
  } else {
    const [lon, lat] = found.kind === 'cell' ? board.ground.finder.middle(found.row) : [found.lon, found.lat];
    if (Math.abs(lat) > 90 || Math.abs(lon) > 180) return workspace.context.i18n.t('search.nowhere');
    stage?.goTo([lon, lat]);
    void stage?.pinAt([lon, lat]);
    room?.pick?.({ lon, lat, row: board.ground.finder.at(lon, lat) });
  }
  return null;
}

async function goToCustomer(id: string, workspace: Workspace, room: Room | null): Promise<string | null> {
  const { board, stage, context } = workspace;
  if (!board) return null;
  const question = { kind: 'customer', id } as const;
  try {
    const answer = await context.api.owner(board.territory.id, question);
    const row = answer.cell === null ? -1 : board.ground.finder.rowOf(answer.cell);
    if (row < 0) return answer.why;
    if (room?.answered?.(answer, question)) return null;
    const middle = board.ground.finder.middle(row);
    void stage?.pinAt(middle);
    stage?.goTo(middle);
    return null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return describeError(error, context).textContent;
  }
}
