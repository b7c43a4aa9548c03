/** Which cells lie on the two sides of each edge. */

/** Edge `i` runs from `ends[4i], ends[4i+1]` to `ends[4i+2], ends[4i+3]`. */
export interface Edges {
  count: number;
  ends: Float32Array;
  /** Rows of the cells on either side; -1 where there is none. */
  left: Int32Array;
  right: Int32Array;
}

/** Corners which are told of twice differ by rounding only; this is far above that and far below a cell. */
const STEP = 1e-10;
const NEAR = 0.05;

/**
 * Join the sides of all cells into edges.
 *
 * @param sides five numbers a side: x and y of both ends, and the row of the cell.
 */
export function joinEdges(sides: Float64Array): Edges {
  const n = sides.length / 5;
  const ends = new Float32Array(n * 4);
  const left = new Int32Array(n);
  const right = new Int32Array(n).fill(-1);
  const open = new Map<string, number>();
  let count = 0;
  for (let i = 0; i < n; i++) {
    const [ax = 0, ay = 0, bx = 0, by = 0, row = 0] = sides.subarray(i * 5, i * 5 + 5);
    if (ax === bx && ay === by) continue;
    const [x, y] = [(ax + bx) / 2 / STEP, (ay + by) / 2 / STEP];
    const partner = find(open, x, y, left, row);
    if (partner !== null) {
      right[partner.edge] = row;
      open.delete(partner.key);
      continue;
    }
    ends.set([ax, ay, bx, by], count * 4);
    left[count] = row;
    open.set(`${Math.floor(x)},${Math.floor(y)}`, count);
    count++;
  }
  return {
    count,
    ends: ends.subarray(0, count * 4),
    left: left.subarray(0, count),
    right: right.subarray(0, count),
  };
}

/** The edge whose middle is here, from another cell; near the border of a bucket the next one is looked into. */
function find(
  open: Map<string, number>,
  x: number,
  y: number,
  left: Int32Array,
  row: number,
): { edge: number; key: string } | null {
  for (const i of buckets(x)) {
    for (const j of buckets(y)) {
      const key = `${i},${j}`;
      const edge = open.get(key);
      if (edge !== undefined && left[edge] !== row) return { edge, key };
    }
  }
  return null;
}

function buckets(value: number): number[] {
  const whole = Math.floor(value);
  const part = value - whole;
  if (part < NEAR) return [whole, whole - 1];
  return part > 1 - NEAR ? [whole, whole + 1] : [whole];
}

/** Neighbours of each cell as a compressed list: those of `row` are `to[from[row]]` up to `to[from[row + 1]]`. */
export function neighboursOf(edges: Edges, count: number): { from: Uint32Array; to: Int32Array } {
  const from = new Uint32Array(count + 1);
  for (let i = 0; i < edges.count; i++) {
    const [a = -1, b = -1] = [edges.left[i], edges.right[i]];
    if (b < 0) continue;
    from[a + 1]!++;
    from[b + 1]!++;
  }
  for (let row = 0; row < count; row++) from[row + 1]! += from[row]!;
  const to = new Int32Array(from[count] ?? 0);
  const next = from.slice();
  for (let i = 0; i < edges.count; i++) {
    const [a = -1, b = -1] = [edges.left[i], edges.right[i]];
    if (b < 0) continue;
    to[next[a]!++] = b;
    to[next[b]!++] = a;
  }
  return { from, to };
}
