/** The page of a grid as one picture, A4 at 150 dots an inch. */
import type { Sheet } from './sheet.ts';

export const WIDTH = 1240;
export const HEIGHT = 1754;
export const MAP = { width: 1120, height: 800 } as const;
const SIDE = 60;

/** Break a line where it would be wider than `room`; between words, and between any two Chinese letters. */
export function wrap(text: string, room: number, measure: (text: string) => number): string[] {
  const pieces = text.match(/[\u2e80-\u9fff\uff00-\uffef]|[^\s\u2e80-\u9fff\uff00-\uffef]+\s*|\s+/g) ?? [];
  const lines: string[] = [];
  let line = '';
  for (const piece of pieces) {
    if (line && measure((line + piece).trimEnd()) > room) {
      lines.push(line.trimEnd());
      line = piece.trimStart();
    } else line += piece;
  }
  return line ? [...lines, line.trimEnd()] : lines;
}

export function drawPicture(sheet: Sheet, map: HTMLCanvasElement): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const pen = canvas.getContext('2d');
  if (!pen) return canvas;
  pen.fillStyle = '#ffffff';
  pen.fillRect(0, 0, WIDTH, HEIGHT);
  pen.textBaseline = 'top';
  let y = 50;
  const write = (text: string, font: string, colour: string, height: number, x = SIDE): void => {
    pen.font = `${font} system-ui, 'Noto Sans', 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif`;
    pen.fillStyle = colour;
    for (const line of wrap(text, WIDTH - SIDE - x, (part) => pen.measureText(part).width)) {
      if (y > HEIGHT - height - 30) return;
      pen.fillText(line, x, y);
      y += height;
    }
  };
  write(sheet.title, '700 38px', '#17314d', 52);
  write(sheet.lines.join('   ·   '), '400 20px', '#4a5866', 30);
  y += 8;
  pen.drawImage(map, SIDE, y);
  pen.strokeStyle = '#7b8794';
  pen.strokeRect(SIDE, y, map.width, map.height);
  y += map.height + 24;
  for (const [name, value] of sheet.facts) {
    const top = y;
    write(name, '400 20px', '#4a5866', 30);
    y = top;
    write(value, '600 20px', '#1c2733', 30, SIDE + 220);
  }
  for (const { title, lines } of sheet.sections) {
    y += 12;
    write(title, '700 22px', '#17314d', 32);
    for (const line of lines) write(line, '400 19px', '#1c2733', 27);
  }
  if (sheet.watermark) stamp(pen, sheet.watermark);
  return canvas;
}

function stamp(pen: CanvasRenderingContext2D, text: string): void {
  pen.save();
  pen.translate(WIDTH / 2, HEIGHT / 2 - 150);
  pen.rotate(-Math.PI / 7);
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.font = "700 260px system-ui, 'Noto Sans CJK SC', sans-serif";
  pen.fillStyle = 'rgb(160 30 20 / 22%)';
  pen.fillText(text, 0, 0);
  pen.restore();
}
