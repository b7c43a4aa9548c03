/** The rooms of the page, in the order of the work. */
import type { Door } from '../workspace.ts';

export const DOORS: readonly Door[] = [
  {
    id: 'see',
    icon: 'M12 5c5 0 8.5 4.5 9.5 7-1 2.5-4.5 7-9.5 7s-8.5-4.500-9.500-7c1-2.500 4.500-7 9.500-7zm0 3.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7z',
    needsBoard: false,
    open: async (workspace) => new (await import('./see/see.ts')).SeeRoom(workspace),
  },
];
