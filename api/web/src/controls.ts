/** Over the map: how it is coloured, zoom, and the legend. */
import { MODES, type Colouring, type Mode } from './colouring.ts';
import { drawing, h, withVars } from './dom.ts';
import type { Board } from './board.ts';
import type { Context } from './context.ts';

const PRINTER = 'M7 8V3h10v5M7 17H4V9h16v8h-3M7 14h10v7H7z';

export interface ControlActions {
  colourBy(mode: Mode, measure: string): void;
  zoomBy(levels: number): void;
  fit(): void;
  print(): void;
}

/** The switch of colourings; a measure is asked for only where the colour depends on one. */
export function renderControls(
  root: HTMLElement,
  { i18n }: Context,
  board: Board,
  mode: Mode,
  measure: string,
  actions: ControlActions,
): void {
  const modes = MODES.map((item) => {
    const input = h('input', {
      type: 'radio',
      name: 'mode',
      value: item,
      checked: item === mode,
      onchange: () => actions.colourBy(item, measure),
    });
    return h('label', { class: 'segment' }, input, h('span', {}, i18n.t(`colour.${item}`)));
  });
  const select = h('select', {
    'aria-label': i18n.t('colour.measure'),
    hidden: mode === 'grid' || mode === 'team',
    onchange: () => actions.colourBy(mode, select.value),
  });
  for (const name of Object.keys(board.ground.columns.measures)) {
    select.append(
      h('option', { value: name, selected: name === measure }, i18n.measure(name, board.territory)),
    );
  }
  const focused = root.contains(document.activeElement) ? document.activeElement?.tagName : undefined;
  root.replaceChildren(
    h('span', { class: 'muted caption' }, i18n.t('colour.label')),
    h('div', { class: 'segments' }, ...modes),
    select,
  );
  if (focused === 'INPUT') root.querySelector<HTMLElement>('input:checked')?.focus();
  if (focused === 'SELECT') select.focus();
}

export function renderZoom(root: HTMLElement, { i18n }: Context, actions: ControlActions): void {
  const button = (sign: string | SVGElement, label: string, onclick: () => void): HTMLElement =>
    h('button', { type: 'button', 'aria-label': label, title: label, onclick }, sign);
  root.replaceChildren(
    button('+', i18n.t('map.zoomIn'), () => actions.zoomBy(1)),
    button('−', i18n.t('map.zoomOut'), () => actions.zoomBy(-1)),
    button('⤢', i18n.t('map.fit'), () => actions.fit()),
    button(drawing(PRINTER), i18n.t('print.label'), () => actions.print()),
  );
}

export function renderLegend(root: HTMLElement, { legend }: Pick<Colouring, 'legend'>): void {
  const items = legend.items.map(({ colour, text, hatched }) =>
    h(
      'li',
      {},
      withVars(h('span', { class: hatched ? 'swatch hatched' : 'swatch' }), { '--colour': colour }),
      text,
    ),
  );
  root.hidden = items.length === 0;
  root.replaceChildren(
    ...(legend.title ? [h('h2', {}, legend.title)] : []),
    h('ul', {}, ...items),
    ...(legend.note ? [h('p', { class: 'muted' }, legend.note)] : []),
  );
}
