/** The map of one grid with what lies around it, drawn on paper's white. */
import { deepest, type Board } from '../../board.ts';
import type { Colouring } from '../../colouring.ts';
import type { Box } from '../../geo.ts';
import { mercator, outlineOf } from '../../mesh/mesh.ts';

const AROUND = 0.22;
const EARTH = 40_075_016.7;

type Project = (lon: number, lat: number) => [number, number];

/** The part of the map to show: the grid's box with a margin, as wide and high as the picture. */
export function frameOf(board: Board, at: number, shape: number): Box {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  board.labels.forEach((label, row) => {
    if (label !== at) return;
    const [west, south, east, north] = board.ground.finder.boxOf(row);
    box[0] = Math.min(box[0], west);
    box[1] = Math.min(box[1], south);
    box[2] = Math.max(box[2], east);
    box[3] = Math.max(box[3], north);
  });
  const stretch = 1 / Math.cos((((box[1] + box[3]) / 2) * Math.PI) / 180);
  let [wide, high] = [(box[2] - box[0]) * (1 + 2 * AROUND), (box[3] - box[1]) * stretch * (1 + 2 * AROUND)];
  if (wide / high < shape) wide = high * shape;
  else high = wide / shape;
  const [x, y] = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  return [x - wide / 2, y - high / stretch / 2, x + wide / 2, y + high / stretch / 2];
}

export function drawMap(canvas: HTMLCanvasElement, board: Board, at: number, colouring: Colouring): void {
  const pen = canvas.getContext('2d');
  if (!pen) return;
  const { width, height } = canvas;
  const frame = frameOf(board, at, width / height);
  const [left, top] = mercator(frame[0], frame[3]);
  const [right, bottom] = mercator(frame[2], frame[1]);
  const [sx, sy] = [width / (right - left), height / (bottom - top)];
  const project: Project = (lon, lat) => {
    const [x, y] = mercator(lon, lat);
    return [(x - left) * sx, (y - top) * sy];
  };
  pen.fillStyle = '#ffffff';
  pen.fillRect(0, 0, width, height);
  const rows = board.ground.finder.near(frame);
  drawCells(pen, board, rows, at, colouring, project);
  drawBorders(pen, board, at, (x, y) => [
    (x + board.ground.mesh.origin[0] - left) * sx,
    (y + board.ground.mesh.origin[1] - top) * sy,
  ]);
  drawNames(pen, board, rows, at, project);
  const metres = (EARTH * Math.cos((((frame[1] + frame[3]) / 2) * Math.PI) / 180)) / sx;
  drawScale(pen, metres, width, height);
}

function drawCells(
  pen: CanvasRenderingContext2D,
  board: Board,
  rows: readonly number[],
  at: number,
  colouring: Colouring,
  project: Project,
): void {
  pen.lineWidth = 1;
  for (const row of rows) {
    const label = board.labels[row] ?? -1;
    if (label < 0) continue;
    const colour = colouring.grids.get(board.grids[label]?.code ?? '') ?? '#dddddd';
    pen.globalAlpha = label === at ? 1 : 0.3;
    pen.fillStyle = pen.strokeStyle = colour;
    pen.beginPath();
    for (const rings of outlineOf(board.ground.columns, row)) {
      for (const ring of rings) {
        ring.forEach(([lon = 0, lat = 0], i) => {
          const [x, y] = project(lon, lat);
          if (i === 0) pen.moveTo(x, y);
          else pen.lineTo(x, y);
        });
        pen.closePath();
      }
    }
    pen.fill('evenodd');
    // Closes the hairlines between cells.
    if (label === at) pen.stroke();
  }
  pen.globalAlpha = 1;
}

function drawBorders(
  pen: CanvasRenderingContext2D,
  board: Board,
  at: number,
  place: (x: number, y: number) => [number, number],
): void {
  const { ends, left, right, count } = board.ground.mesh.edges;
  const [thin, thick] = [new Path2D(), new Path2D()];
  for (let i = 0; i < count; i++) {
    const a = board.labels[left[i] ?? 0] ?? -1;
    const b = (right[i] ?? -1) < 0 ? -1 : (board.labels[right[i] ?? 0] ?? -1);
    if (a === b) continue;
    const path = a === at || b === at ? thick : thin;
    path.moveTo(...place(ends[4 * i] ?? 0, ends[4 * i + 1] ?? 0));
    path.lineTo(...place(ends[4 * i + 2] ?? 0, ends[4 * i + 3] ?? 0));
  }
  pen.lineCap = 'round';
  pen.strokeStyle = '#7b8794';
  pen.lineWidth = 1.2;
  pen.stroke(thin);
  pen.strokeStyle = '#17314d';
  pen.lineWidth = 3.5;
  pen.stroke(thick);
}

/** Codes, each as deep inside what is to be seen of its grid as may be. */
function drawNames(
  pen: CanvasRenderingContext2D,
  board: Board,
  rows: readonly number[],
  at: number,
  project: Project,
): void {
  const seen = new Int32Array(board.labels.length).fill(-1);
  for (const row of rows) seen[row] = board.labels[row] ?? -1;
  const places = deepest(board.ground, seen, board.grids.length);
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.lineJoin = 'round';
  const { width, height } = pen.canvas;
  const taken: [number, number, number][] = [];
  // The grid's own code first; then those of larger neighbours before smaller ones.
  const order = [...board.grids.keys()].sort((a, b) =>
    a === at || b === at ? Number(b === at) - Number(a === at) : area(board, b) - area(board, a),
  );
  for (const i of order) {
    const row = places[i] ?? -1;
    const code = board.grids[i]?.code ?? '';
    if (row < 0) continue;
    const [x, y] = project(...board.ground.finder.middle(row));
    pen.font = i === at ? '700 40px sans-serif' : '500 22px sans-serif';
    const half = pen.measureText(code).width / 2 + 4;
    const tall = i === at ? 44 : 26;
    const crowded = taken.some(([tx, ty, th]) => Math.abs(tx - x) < th + half && Math.abs(ty - y) < tall);
    const cut = x < half || x > width - half || y < tall / 2 || y > height - tall / 2;
    // Where the scale stands.
    const covered = x > width * 0.72 && y > height - 70;
    if (i !== at && (crowded || cut || covered)) continue;
    taken.push([x, y, half]);
    pen.strokeStyle = '#ffffff';
    pen.lineWidth = 6;
    pen.strokeText(code, x, y);
    pen.fillStyle = i === at ? '#17314d' : '#4a5866';
    pen.fillText(code, x, y);
  }
}

function area(board: Board, i: number): number {
  return board.grids[i]?.area_km2 ?? 0;
}

/** The longest round length which is not above a quarter of the picture. */
export function roundLength(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  return power * (most >= 5 * power ? 5 : most >= 2 * power ? 2 : 1);
}

function drawScale(
  pen: CanvasRenderingContext2D,
  metresPerPixel: number,
  width: number,
  height: number,
): void {
  const metres = roundLength((metresPerPixel * width) / 4);
  const length = metres / metresPerPixel;
  const [x, y] = [width - length - 24, height - 24];
  pen.fillStyle = 'rgb(255 255 255 / 85%)';
  pen.fillRect(x - 12, y - 40, length + 24, 54);
  pen.strokeStyle = pen.fillStyle = '#1c2733';
  pen.lineWidth = 3;
  pen.beginPath();
  pen.moveTo(x, y - 8);
  pen.lineTo(x, y);
  pen.lineTo(x + length, y);
  pen.lineTo(x + length, y - 8);
  pen.stroke();
  pen.font = '500 20px sans-serif';
  pen.textAlign = 'center';
  pen.fillText(metres >= 1000 ? `${metres / 1000} km` : `${metres} m`, x + length / 2, y - 22);
}
