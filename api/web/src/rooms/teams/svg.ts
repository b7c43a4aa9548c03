/** Bars drawn as SVG, whose lengths are attributes: a strict style policy allows no inline styles. */

type Attributes = Record<string, string | number>;

export function svg(tag: string, attributes: Attributes = {}, ...children: Element[]): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

export interface BarWish {
  value: number;
  /** What fills the whole width. */
  most: number;
  /** What there is room for; what goes beyond it is drawn as such. */
  capacity?: number | null;
  mean?: number | null;
  before?: number | null;
}

const TOP = 3;
const THICK = 8;
const HEIGHT = 14;

/**
 * A bar in the room there is for it, with a line at the mean and a ring where it was before; the numbers
 * stand beside it as text.
 */
export function bar({ value, most, capacity = null, mean = null, before = null }: BarWish): SVGElement {
  const share = (amount: number): number =>
    Math.max(0, Math.min(100, (amount / Math.max(most, 1e-12)) * 100));
  const at = (amount: number): string => `${share(amount).toFixed(2)}%`;
  const rect = (name: string, from: number, to: number): SVGElement =>
    svg('rect', {
      class: name,
      x: at(from),
      y: TOP,
      width: `${(share(to) - share(from)).toFixed(2)}%`,
      height: THICK,
      rx: 2,
    });
  const line = (name: string, where: number): SVGElement =>
    svg('line', { class: name, x1: at(where), x2: at(where), y1: 0, y2: HEIGHT });
  const within = capacity === null ? value : Math.min(value, capacity);
  const parts = [rect('team-track', 0, capacity ?? most), rect('team-bar', 0, within)];
  if (value > within) parts.push(rect('team-bar beyond', within, value));
  if (capacity !== null) parts.push(line('team-limit', capacity));
  if (mean !== null) parts.push(line('team-mean', mean));
  if (before !== null)
    parts.push(svg('circle', { class: 'team-before', cx: at(before), cy: TOP + THICK / 2, r: 4 }));
  return svg('svg', { class: 'team-chart', 'aria-hidden': 'true', height: HEIGHT }, ...parts);
}
