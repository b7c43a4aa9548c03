/** Pictures for the map drawn here: labels and hatching, so that no font file has to come from anywhere. */

const RATIO = 2;
const FAMILY = "system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif";

export interface LabelLine {
  text: string;
  size: number;
  weight: number;
}

function canvas(width: number, height: number): CanvasRenderingContext2D {
  const element = document.createElement('canvas');
  element.width = Math.ceil(width * RATIO);
  element.height = Math.ceil(height * RATIO);
  const context = element.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no 2d canvas');
  context.scale(RATIO, RATIO);
  return context;
}

function pixels(context: CanvasRenderingContext2D): ImageData {
  return context.getImageData(0, 0, context.canvas.width, context.canvas.height);
}

const ruler = canvas(1, 1);

function font(line: LabelLine): string {
  return `${line.weight} ${line.size}px ${FAMILY}`;
}

function widthOf(line: LabelLine): number {
  ruler.font = font(line);
  return ruler.measureText(line.text).width;
}

/** Lines of text with a halo, centred. */
export function labelImage(lines: LabelLine[], colour: string, halo: string): ImageData {
  const margin = 4;
  const heights = lines.map((line) => line.size * 1.25);
  const width = Math.max(1, ...lines.map(widthOf)) + 2 * margin;
  const height = heights.reduce((sum, part) => sum + part, 0) + 2 * margin;
  const context = canvas(width, height);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  let top = margin;
  lines.forEach((line, i) => {
    const part = heights[i] ?? 0;
    context.font = font(line);
    context.lineWidth = 3;
    context.strokeStyle = halo;
    context.globalAlpha = 0.75;
    context.strokeText(line.text, width / 2, top + part / 2);
    context.globalAlpha = 1;
    context.fillStyle = colour;
    context.fillText(line.text, width / 2, top + part / 2);
    top += part;
  });
  return pixels(context);
}

/** A tile of slanted lines which joins up with itself. */
export function hatchImage(colour: string): ImageData {
  const size = 8;
  const context = canvas(size, size);
  context.strokeStyle = colour;
  context.globalAlpha = 0.6;
  context.lineWidth = 1.3;
  context.beginPath();
  for (const start of [-size, 0, size]) {
    context.moveTo(start - 1, size + 1);
    context.lineTo(start + size + 1, -1);
  }
  context.stroke();
  return pixels(context);
}

export const IMAGE_RATIO = RATIO;
