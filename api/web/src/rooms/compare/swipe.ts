/** The border between two plans on one map: by pointer or arrow keys. */
import { h, withVars } from '../../dom.ts';

const STEP = 0.02;

/** A handle at a share of the width; `moved` is told where it is put. */
export function swipeHandle(
  label: string,
  names: [string, string],
  moved: (share: number) => void,
): HTMLElement {
  let share = 0.5;
  const handle = h(
    'div',
    {
      class: 'swipe',
      role: 'slider',
      tabindex: '0',
      'aria-label': label,
      'aria-valuemin': 0,
      'aria-valuemax': 100,
    },
    h('span', { class: 'left' }, names[0]),
    h('span', { class: 'right' }, names[1]),
  );
  const put = (next: number): void => {
    share = Math.min(1, Math.max(0, next));
    withVars(handle, { '--at': `${share * 100}%` });
    handle.setAttribute('aria-valuenow', String(Math.round(share * 100)));
    moved(share);
  };
  handle.addEventListener('pointerdown', (event) => {
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus();
  });
  handle.addEventListener('pointermove', (event) => {
    const box = handle.parentElement?.getBoundingClientRect();
    if (handle.hasPointerCapture(event.pointerId) && box) put((event.clientX - box.left) / box.width);
  });
  handle.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -STEP, ArrowRight: STEP, Home: -1, End: 1 }[event.key];
    if (by === undefined) return;
    put(share + by);
    event.preventDefault();
  });
  put(share);
  return handle;
}
