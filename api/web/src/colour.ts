/** Colours as numbers: which colour an area gets so that neighbours differ, and classes of a scale. */

export interface Scheme {
  /** Hues told apart with any colour vision; light enough (dark enough at night) for a label on top. */
  areas: readonly string[];
  /** Seven steps from far below to far above a target: blue to orange, told apart with any colour vision. */
  diverging: readonly string[];
  /** Five steps from little to much. */
  sequential: readonly string[];
  /** No value, or taken out of the balance. */
  none: string;
}

export const LIGHT: Scheme = {
  areas: ['#9cc3e6', '#f2c08d', '#9fd4bf', '#efdf97', '#e3b4c6', '#bdb6dd', '#c9d39a', '#c8cdd3'],
  diverging: ['#2f6fb0', '#7fb0d8', '#c4dcec', '#eef0ee', '#f8d9b3', '#eba45c', '#bf5f12'],
  sequential: ['#e9f2d3', '#b4ddb8', '#6cbfb7', '#2f8fb0', '#1f4f8b'],
  none: '#e1e4e8',
};

export const DARK: Scheme = {
  areas: ['#35618c', '#8f6233', '#33735f', '#857632', '#80516a', '#5f5793', '#65702f', '#56606c'],
  diverging: ['#6fb1ee', '#427cb0', '#2c4d6b', '#38404a', '#6b4e2c', '#b27434', '#f5a24a'],
  sequential: ['#22343f', '#23566a', '#2a8189', '#5cb09a', '#c9e3a0'],
  none: '#333b46',
};

/**
 * Give each area the index of a colour, so that neighbours differ.
 *
 * The area whose neighbours already wear the most colours goes first (Brélaz 1979, DSATUR); of the colours
 * it may have, it takes the one used least so far, which spreads them evenly. With more neighbours than
 * colours the one least worn around it is taken.
 *
 * @returns colour indexes, one an area, each below `colours`.
 */
export function colourAreas(neighbours: readonly ReadonlySet<number>[], colours: number): number[] {
  const result = neighbours.map(() => -1);
  const seen = neighbours.map(() => new Set<number>());
  const used = new Array<number>(colours).fill(0);
  const saturation = (i: number): number => seen[i]?.size ?? 0;
  const degree = (i: number): number => neighbours[i]?.size ?? 0;
  const open = new Set(neighbours.keys());
  while (open.size > 0) {
    let next = -1;
    for (const i of open) {
      if (next < 0 || saturation(i) > saturation(next)) next = i;
      else if (saturation(i) === saturation(next) && degree(i) > degree(next)) next = i;
    }
    open.delete(next);
    const colour = bestColour(neighbours[next] ?? new Set(), result, used);
    result[next] = colour;
    used[colour] = (used[colour] ?? 0) + 1;
    for (const i of neighbours[next] ?? []) seen[i]?.add(colour);
  }
  return result;
}

/**
 * Colours as they were before, but for areas which have none or have come to lie beside one of the same:
 * a map on which borders are being drawn keeps its face.
 *
 * @param before the colour of each area before; -1 where it had none.
 */
export function keepColours(
  neighbours: readonly ReadonlySet<number>[],
  before: readonly number[],
  colours: number,
): number[] {
  const result = neighbours.map((_, i) => before[i] ?? -1);
  const used = new Array<number>(colours).fill(0);
  for (const colour of result) if (colour >= 0) used[colour] = (used[colour] ?? 0) + 1;
  neighbours.forEach((around, i) => {
    const clash = [...around].some((j) => j < i && result[j] === result[i]);
    if ((result[i] ?? -1) >= 0 && !clash) return;
    const colour = bestColour(around, result, used);
    result[i] = colour;
    used[colour] = (used[colour] ?? 0) + 1;
  });
  return result;
}

function bestColour(
  around: ReadonlySet<number>,
  colourOf: readonly number[],
  used: readonly number[],
): number {
  const worn = used.map(() => 0);
  for (const i of around) {
    const colour = colourOf[i] ?? -1;
    if (colour >= 0) worn[colour] = (worn[colour] ?? 0) + 1;
  }
  let best = 0;
  for (let colour = 1; colour < used.length; colour++) {
    const fewer = (worn[colour] ?? 0) - (worn[best] ?? 0);
    if (fewer < 0 || (fewer === 0 && (used[colour] ?? 0) < (used[best] ?? 0))) best = colour;
  }
  return best;
}

/** Join areas which belong together (one team's grids) into one node each: their neighbours, by group. */
export function groupNeighbours(
  neighbours: readonly ReadonlySet<number>[],
  groupOf: readonly number[],
  groups: number,
): Set<number>[] {
  const result = Array.from({ length: groups }, () => new Set<number>());
  neighbours.forEach((around, i) => {
    const a = groupOf[i] ?? 0;
    for (const j of around) {
      const b = groupOf[j] ?? 0;
      if (a !== b) result[a]?.add(b);
    }
  });
  return result;
}

/** Class borders of a deviation: beyond the tolerance, up to it, up to 60 % of it, and about on target. */
export function deviationBreaks(tolerance: number): number[] {
  return [-1, -0.6, -0.2, 0.2, 0.6, 1].map((share) => share * tolerance);
}

/** The class of a value: how many breaks it has reached. */
export function classOf(value: number, breaks: readonly number[]): number {
  return breaks.filter((limit) => value >= limit).length;
}

/**
 * Up to `classes - 1` rising class borders with about equally many of the positive values between them,
 * rounded to two digits where that keeps them apart.
 */
export function quantileBreaks(values: readonly number[], classes: number): number[] {
  const sorted = values.filter((value) => value > 0).sort((a, b) => a - b);
  const breaks: number[] = [];
  for (let i = 1; i < classes; i++) {
    const raw = sorted[Math.floor((sorted.length * i) / classes)];
    if (raw === undefined) continue;
    const limit = Number(raw.toPrecision(2));
    if (limit > (breaks.at(-1) ?? sorted[0] ?? 0)) breaks.push(limit);
  }
  return breaks;
}
