/** The small picture of a deviation: zero in the middle, the tolerance as a band, the value as a bar. */
import { h, withVars } from './dom.ts';

/** Left edge and width of the bar, in per cent of a track which is two tolerances wide to each side. */
export function barExtent(deviation: number, tolerance: number): { left: number; width: number } {
  const reach = 2 * tolerance;
  const end = 50 + 50 * Math.max(-1, Math.min(1, deviation / reach));
  return { left: Math.min(50, end), width: Math.abs(end - 50) };
}

export function deviationBar(deviation: number | null | undefined, tolerance: number): HTMLElement {
  const track = h('span', { class: 'track', 'aria-hidden': 'true' });
  if (deviation == null) return track;
  const { left, width } = barExtent(deviation, tolerance);
  const beyond = Math.abs(deviation) > tolerance;
  const bar = h('span', { class: beyond ? 'bar beyond' : 'bar' });
  track.append(withVars(bar, { left: `${left}%`, width: `${width}%` }));
  return track;
}
