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
  mean?: number | null;
  before?: number | null;
  beyond?: boolean;
}

/** A bar with a line at the mean and a ring where it was before; the number itself stands beside it as text. */
export function bar({ value, most, mean = null, before = null, beyond = false }: BarWish): SVGElement {
  const at = (amount: number): string =>
    `${Math.max(0, Math.min(100, (amount / Math.max(most, 1e-12)) * 100)).toFixed(2)}%`;
  const parts = [
    svg('rect', { class: 'team-track', x: 0, y: 3, width: '100%', height: 8, rx: 3 }),
    svg('rect', {
      class: beyond ? 'team-bar beyond' : 'team-bar',
      x: 0,
      y: 3,
      width: at(value),
      height: 8,
      rx: 3,
    }),
  ];
  if (mean !== null)
    parts.push(svg('line', { class: 'team-mean', x1: at(mean), x2: at(mean), y1: 0, y2: 14 }));
  if (before !== null) parts.push(svg('circle', { class: 'team-before', cx: at(before), cy: 7, r: 4 }));
  return svg('svg', { class: 'team-chart', 'aria-hidden': 'true', height: 14 }, ...parts);
}
