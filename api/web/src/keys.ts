/** The map by keyboard: arrows move it and +/- zoom (the map library does that); this picks at its middle. */
import { MapMouseEvent, type Map as MapLibre } from 'maplibre-gl';

export interface Middle {
  /** The pointer's button is pressed and let go in the middle of the map. */
  press(down: MapMouseEvent, up: MapMouseEvent): void;
  /** The middle of the map lies elsewhere now; null when the keyboard has left it. */
  look(at: MapMouseEvent | null): void;
}

/** Let Enter and Space act in the middle of the map, where a cross shows while the keyboard is on it. */
export function pickByKeys(map: MapLibre, to: Middle): void {
  const canvas = map.getCanvas();
  const event = (type: string, keys: Partial<KeyboardEvent>): MapMouseEvent => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const at = { clientX: left + width / 2, clientY: top + height / 2 };
    return new MapMouseEvent(type, map, new MouseEvent(type, { ...at, altKey: keys.altKey === true }));
  };
  const look = (): void => {
    if (canvas.matches(':focus-visible')) to.look(event('mousemove', {}));
  };
  canvas.addEventListener('keydown', (pressed) => {
    if (pressed.key !== 'Enter' && pressed.key !== ' ') return;
    if (pressed.ctrlKey || pressed.metaKey) return;
    pressed.preventDefault();
    to.press(event('mousedown', pressed), event('mouseup', pressed));
  });
  canvas.addEventListener('focus', look);
  canvas.addEventListener('blur', () => to.look(null));
  map.on('moveend', look);
}
