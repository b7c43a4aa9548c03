/** The rooms of the page, in the order of the work. */
import type { Door } from '../workspace.ts';

export const DOORS: readonly Door[] = [
  {
    id: 'see',
    icon: 'M2.5 12C3.5 9.5 7 5 12 5s8.5 4.5 9.5 7c-1 2.5-4.5 7-9.5 7s-8.5-4.5-9.5-7zM15.5 12a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0z',
    needsBoard: false,
    open: async (workspace) => new (await import('./see/see.ts')).SeeRoom(workspace),
  },
  {
    id: 'plans',
    icon: 'M4 5h16M4 12h16M4 19h10M18 16v6M15 19h6',
    needsBoard: false,
    open: async (workspace) => new (await import('./plans/plans.ts')).PlansRoom(workspace),
  },
  {
    id: 'redraw',
    icon: 'M4 20l1-4L16 5l3 3L8 19l-4 1zM14 7l3 3',
    needsBoard: true,
    open: async (workspace) => new (await import('./redraw/redraw.ts')).RedrawRoom(workspace),
  },
  {
    id: 'compare',
    icon: 'M12 3v18M4 6h5v12H4zM15 6h5v12h-5z',
    needsBoard: true,
    open: async (workspace) => new (await import('./compare/compare.ts')).CompareRoom(workspace),
  },
  {
    id: 'teams',
    icon: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.5-4 3-6 6.5-6s6 2 6.5 6M16 4.5a3.5 3.5 0 0 1 0 6M18 14.5c2 .8 3.2 2.6 3.5 5.5',
    needsBoard: false,
    open: async (workspace) => new (await import('./teams/teams.ts')).TeamsRoom(workspace),
  },
  {
    id: 'requests',
    icon: 'M4 5h16v11H9l-5 4zM8 9h8M8 12h5',
    needsBoard: false,
    open: async (workspace) => new (await import('./requests/requests.ts')).RequestsRoom(workspace),
  },
  {
    id: 'publish',
    icon: 'M12 3v12M7.5 7.5L12 3l4.5 4.5M5 14v5.5a1.5 1.5 0 0 0 1.5 1.5h11a1.5 1.5 0 0 0 1.5-1.5V14',
    needsBoard: false,
    open: async (workspace) => new (await import('./publish/publish.ts')).PublishRoom(workspace),
  },
  {
    id: 'data',
    icon: 'M4 6c0-1.7 3.6-3 8-3s8 1.3 8 3-3.6 3-8 3-8-1.3-8-3zM4 6v12c0 1.7 3.6 3 8 3s8-1.3 8-3V6M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3',
    needsBoard: false,
    open: async (workspace) => new (await import('./data/data.ts')).DataRoom(workspace),
  },
  {
    id: 'paper',
    icon: 'M6 3h9l4 4v14H6zM15 3v4h4M9 12h7M9 16h7',
    needsBoard: true,
    open: async (workspace) => new (await import('./paper/paper.ts')).PaperRoom(workspace),
  },
];
