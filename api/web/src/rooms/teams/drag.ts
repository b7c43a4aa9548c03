/** Dragging grids onto teams, and teams onto the map. What is dragged is named by codes and ids alone. */
import type { Board } from '../../board.ts';
import type { Stage } from '../../stage.ts';

const GRIDS = 'application/x-gridsvc-grids';
const TEAM = 'application/x-gridsvc-team';

export function dragGrids(chip: HTMLElement, codes: () => string[]): void {
  chip.addEventListener('dragstart', (event) => {
    event.dataTransfer?.setData(GRIDS, JSON.stringify(codes()));
    if (event.dataTransfer) event.dataTransfer.effectAllowed = 'move';
    event.stopPropagation();
  });
}

export function dragTeam(title: HTMLElement, team: string): void {
  title.addEventListener('dragstart', (event) => {
    event.dataTransfer?.setData(TEAM, team);
    if (event.dataTransfer) event.dataTransfer.effectAllowed = 'copy';
  });
}

/** Take grids which are dropped on a box. */
export function acceptDrops(box: HTMLElement, take: (codes: string[]) => void): void {
  const over = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes(GRIDS)) return;
    event.preventDefault();
    box.classList.add('drop');
  };
  box.addEventListener('dragenter', over);
  box.addEventListener('dragover', over);
  box.addEventListener('dragleave', (event) => {
    if (!box.contains(event.relatedTarget as Node | null)) box.classList.remove('drop');
  });
  box.addEventListener('drop', (event) => {
    box.classList.remove('drop');
    const codes: unknown = JSON.parse(event.dataTransfer?.getData(GRIDS) || '[]');
    event.preventDefault();
    if (Array.isArray(codes) && codes.length) take(codes.map(String));
  });
}

/** Take a team which is dropped on a grid of the map. */
export function acceptTeams(
  stage: Stage | null,
  board: Board,
  take: (code: string, team: string) => void,
): () => void {
  const map = stage?.map;
  const container = map?.getContainer();
  if (!map || !container) return () => undefined;
  const codeAt = (event: DragEvent): string | null => {
    const { left, top } = container.getBoundingClientRect();
    const { lng, lat } = map.unproject([event.clientX - left, event.clientY - top]);
    const label = board.labels[board.ground.finder.at(lng, lat)] ?? -1;
    return board.grids[label]?.code ?? null;
  };
  const over = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes(TEAM)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = codeAt(event) === null ? 'none' : 'copy';
  };
  const drop = (event: DragEvent): void => {
    const team = event.dataTransfer?.getData(TEAM);
    const code = codeAt(event);
    event.preventDefault();
    if (team && code !== null) take(code, team);
  };
  container.addEventListener('dragover', over);
  container.addEventListener('drop', drop);
  return () => {
    container.removeEventListener('dragover', over);
    container.removeEventListener('drop', drop);
  };
}
