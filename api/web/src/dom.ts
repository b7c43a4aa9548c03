/** Elements made from values. Data only ever enters the page as text or attributes, never as markup. */

type Child = Node | string | null | undefined | false;
type Value = string | number | boolean | null | undefined | EventListener;
export type Props = Record<string, Value>;

/**
 * Make an element. Properties starting with `on` are listeners, `true` sets an empty attribute,
 * `false`, `null` and `undefined` leave it out.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  fill(element, ...children);
  return element;
}

/**
 * Put these in an element in place of what it held; absent ones are left out. What stays is not
 * taken out and put back: an input keeps the focus of who is writing in it.
 */
export function fill(element: HTMLElement, ...children: Child[]): void {
  const wanted = children.filter((child): child is Node | string => child != null && child !== false);
  const kept = new Set(wanted);
  for (const node of [...element.childNodes]) if (!kept.has(node)) node.remove();
  let place = element.firstChild;
  for (const child of wanted) {
    if (child === place) place = place.nextSibling;
    else element.insertBefore(typeof child === 'string' ? document.createTextNode(child) : child, place);
  }
}

/** The element with this id; the page is ours, so a missing one is a bug. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no element #${id}`);
  return element;
}

/** Set custom properties through the object model, which a strict style policy allows. */
export function withVars<E extends HTMLElement>(element: E, vars: Record<string, string>): E {
  for (const [name, value] of Object.entries(vars)) element.style.setProperty(name, value);
  return element;
}

/** A line drawing of 24 x 24. */
export function drawing(path: string): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}
