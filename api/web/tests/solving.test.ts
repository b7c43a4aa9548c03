import { describe, expect, it, vi } from 'vitest';
import { ApiError, type Api } from '../src/api.ts';
import { I18n } from '../src/i18n.ts';
import { placesOf, worstOf } from '../src/rooms/plans/frontier.ts';
import { countOf, rowsOf } from '../src/rooms/plans/locks.ts';
import { messageOf, worstIn } from '../src/rooms/plans/messages.ts';
import { bodyOf, pointsOf, Solving, type Choice, type Job, type Wish } from '../src/rooms/plans/solving.ts';

const WISH: Wish = {
  tiling: 'til_1',
  name: '',
  grids: 4,
  measures: [{ name: 'customers', tolerance: 7.5, capacity: null }],
  nest: null,
  carveLarge: false,
  compactness: 50,
  seeds: '',
  locks: [],
  barriers: null,
  seconds: null,
  sweeps: null,
  seed: 1,
};

describe('a wish', () => {
  it('is sent with nothing in it which was not asked for', () => {
    expect(bodyOf(WISH)).toEqual({
      tiling: 'til_1',
      name: '',
      grids: 4,
      measures: [{ name: 'customers', tolerance: '7.5%' }],
      compactness: 50,
      seed: 1,
    });
  });

  it('is sent whole', () => {
    const body = bodyOf({
      ...WISH,
      grids: null,
      measures: [{ name: 'kwh', tolerance: 10, capacity: 300 }],
      nest: 'ward',
      carveLarge: true,
      seeds: '112.9, 28.6\nnonsense\n113 28.5',
      locks: [
        { cell: 'a', grid: 'G1' },
        { cell: 'b', grid: null },
      ],
      barriers: 'lay_1',
      seconds: 20,
      sweeps: 300,
    });
    expect(body).toMatchObject({
      grids: 'auto',
      measures: [{ name: 'kwh', tolerance: '10%', capacity: 300 }],
      nest_in: 'ward',
      carve_out: 'large',
      seeds: [
        { lon: 112.9, lat: 28.6 },
        { lon: 113, lat: 28.5 },
      ],
      locks: [{ cell: 'a', grid: 'G1' }, { cell: 'b' }],
      barriers: { layer: 'lay_1' },
      time_limit: 20,
      sweeps: 300,
    });
  });

  it('reads points a line each', () => {
    expect(pointsOf('1,2\n\n3\n4;5\n6 7 8')).toEqual([
      { lon: 1, lat: 2 },
      { lon: 4, lat: 5 },
    ]);
  });
});

describe('following a job', () => {
  const job = (status: Job['status'], share: number): Partial<Job> => ({
    id: 'job_1',
    status,
    share,
    message: '',
  });

  it('tells each step until the end', async () => {
    const steps = [job('queued', 0), job('running', 0.5), job('done', 1)];
    const get = vi.fn(() => Promise.resolve(steps.shift()));
    const told: number[] = [];
    const end = await new Solving({ get } as unknown as Api).follow(
      'job_1',
      ({ share }) => told.push(share),
      0,
    );
    expect([told, end.status, get.mock.calls.length]).toEqual([[0, 0.5, 1], 'done', 3]);
  });

  it('ends with what went wrong and the cure', async () => {
    const failed = {
      ...job('failed', 0.2),
      problem: { title: 'No', detail: 'too few cells', cure: 'fewer grids' },
    };
    const api = { get: () => Promise.resolve(failed) } as unknown as Api;
    const error = await new Solving(api)
      .follow('job_1', () => undefined, 0)
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ detail: 'too few cells', cure: 'fewer grids' });
  });
});

describe('messages of jobs', () => {
  it('are put in words of the page', () => {
    const zh = new I18n('zh');
    expect(messageOf('placing 37,204 customers', zh)).toBe('正在定位 37,204 个客户');
    expect(messageOf('laying 3 polygons over 1,711 cells', zh)).toBe('正在将 3 个多边形叠加到 1,711 个单元');
    expect(messageOf('moving borders, worst deviation 26.4 %', new I18n('en'))).toBe('Moving borders');
    expect(messageOf('something new', zh)).toBe('something new');
  });

  it('tell the worst deviation where they know it', () => {
    expect(worstIn('moving borders, worst deviation 26.4 %')).toBeCloseTo(0.264);
    expect(worstIn('cutting the territory')).toBeNull();
  });
});

describe('plans on offer', () => {
  const choice = (moved_share: number, a: number, b: number): Choice => ({
    plan: `${moved_share}`,
    name: '',
    moved_share,
    worst_deviation: { a, b },
    chosen: false,
  });

  it('stand farther right the more they move, and higher the farther they are off', () => {
    const [still, much] = placesOf([choice(0, 0.1, -0.4), choice(0.2, 0.05, 0.1)]);
    expect(worstOf(choice(0, 0.1, -0.4))).toBe(0.4);
    expect(still?.[0]).toBeLessThan(much?.[0] ?? 0);
    expect(still?.[1]).toBeLessThan(much?.[1] ?? 0); // y runs downwards
    expect(
      placesOf([choice(0, 0, 0)])
        .flat()
        .every(Number.isFinite),
    ).toBe(true);
  });
});

describe('locks', () => {
  const board = { labels: Int32Array.from([2, 0, 2, -1, 0]) };

  it('take a grid with all its cells, and are counted by grid', () => {
    expect(rowsOf(board, 2)).toEqual([0, 2]);
    expect([...countOf(board, [2, 0, 4])]).toEqual([
      [0, 1],
      [2, 2],
    ]);
  });
});
