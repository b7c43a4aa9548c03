/** Plans on offer as a small chart: the fewer customers change owner, the farther grids stay off their targets. */
import type { Context } from '../../context.ts';
import { h } from '../../dom.ts';
import type { Choice } from './solving.ts';

const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT, EDGE] = [340, 190, 34];

export function worstOf({ worst_deviation }: Choice): number {
  return Math.max(0, ...Object.values(worst_deviation).map(Math.abs));
}

/** Positions of the choices on the chart, in its own units; larger shares lie to the right and on top. */
export function placesOf(choices: readonly Choice[]): [number, number][] {
  const most = Math.max(1e-9, ...choices.map(({ moved_share }) => moved_share));
  const worst = Math.max(1e-9, ...choices.map(worstOf));
  return choices.map((choice) => [
    EDGE + (choice.moved_share / most) * (WIDTH - 2 * EDGE),
    HEIGHT - EDGE - (worstOf(choice) / worst) * (HEIGHT - 2 * EDGE),
  ]);
}

export function frontier(
  choices: readonly Choice[],
  shown: string | null,
  { i18n, format }: Context,
  choose: (choice: Choice) => void,
): HTMLElement {
  const svg = make('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'frontier', role: 'group' });
  svg.append(
    make('path', { class: 'axis', d: `M${EDGE} ${EDGE / 2}V${HEIGHT - EDGE}H${WIDTH - EDGE / 2}` }),
    label(WIDTH - EDGE / 2, HEIGHT - 8, i18n.t('plans.axis.moved'), 'end'),
    label(EDGE - 24, 12, i18n.t('plans.axis.worst'), 'start'),
  );
  const places = placesOf(choices);
  const order = places.map((place, i) => [place, i] as const).sort(([a], [b]) => a[0] - b[0]);
  svg.append(make('polyline', { class: 'curve', points: order.map(([place]) => place.join(',')).join(' ') }));
  const buttons = choices.map((choice, i) => {
    const words = i18n.t('plans.choice', {
      moved: format.percent(choice.moved_share),
      worst: format.percent(worstOf(choice)),
    });
    const [x = 0, y = 0] = places[i] ?? [];
    const dot = make('circle', {
      cx: x,
      cy: y,
      r: choice.plan === shown ? 8 : 6,
      class: choice.plan === shown ? 'dot chosen' : 'dot',
      tabindex: 0,
      role: 'button',
      'aria-label': words,
    });
    const title = make('title', {});
    title.textContent = words;
    dot.append(title);
    dot.addEventListener('click', () => choose(choice));
    dot.addEventListener('keydown', (event) => {
      if (event instanceof KeyboardEvent && ['Enter', ' '].includes(event.key)) choose(choice);
    });
    svg.append(dot);
    return h(
      'li',
      {},
      h(
        'button',
        {
          type: 'button',
          class: 'plain',
          'aria-pressed': choice.plan === shown ? 'true' : 'false',
          onclick: () => choose(choice),
        },
        words,
      ),
    );
  });
  const root = h('div', {}, h('p', {}, i18n.t('plans.choose')));
  root.append(svg, h('ul', { class: 'choices' }, ...buttons));
  return root;
}

function make(name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

function label(x: number, y: number, text: string, anchor: string): SVGElement {
  const made = make('text', { x, y, 'text-anchor': anchor, class: 'axis-label' });
  made.textContent = text;
  return made;
}
