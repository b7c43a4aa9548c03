/** Fields of this room's forms, and what the service says against them, each where it belongs. */
import { ApiError } from '../../api.ts';
import { h } from '../../dom.ts';
import type { I18n } from '../../i18n.ts';
import type { Option } from './view.ts';

type Input = HTMLInputElement | HTMLSelectElement;

/** An input under its label; `form` makes its id unlike those of other forms. */
export function field(form: string, label: string, input: Input): HTMLElement {
  input.id = `${form}-${input.name}`;
  return h('div', { class: 'field' }, h('label', { for: input.id }, label), input);
}

/** A box to be ticked, with its label behind it. */
export function tick(label: string, input: HTMLInputElement): HTMLElement {
  return h('label', { class: 'row tick' }, input, h('span', {}, label));
}

export function select(name: string, options: readonly Option[], chosen?: string): HTMLSelectElement {
  return h(
    'select',
    { name },
    ...options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)),
  );
}

export function clearFaults(form: HTMLElement): void {
  for (const fault of form.querySelectorAll('.fault')) fault.remove();
  for (const input of form.querySelectorAll('[aria-invalid]')) {
    input.removeAttribute('aria-invalid');
    input.removeAttribute('aria-describedby');
  }
}

/**
 * Tell at its field what the service refused, in words of the page where it has some, with the cure.
 *
 * @param names what the service calls a field -> its name in the form, where these differ.
 * @returns whether the form has the field.
 */
export function tellFault(
  form: HTMLElement,
  error: unknown,
  names: Readonly<Record<string, string>>,
  i18n: I18n,
): boolean {
  const told = error instanceof ApiError ? error.more['field'] : undefined;
  if (!(error instanceof ApiError) || typeof told !== 'string') return false;
  const plain = told.split('.').at(-1) ?? told;
  const input = form.querySelector<HTMLElement>(`[name="${CSS.escape(names[plain] ?? plain)}"]`);
  if (!input) return false;
  const id = `${input.id}-fault`;
  const own = i18n.has(`teams.fault.${plain}`);
  input.setAttribute('aria-invalid', 'true');
  input.setAttribute('aria-describedby', id);
  (input.closest('.field, .tick') ?? input).append(
    h(
      'div',
      { id, class: 'fault', role: 'alert' },
      own && h('p', {}, own),
      h('p', { class: own ? 'second' : null }, error.detail),
      error.cure && h('p', { class: 'second' }, i18n.t('state.error.cure', { cure: error.cure })),
    ),
  );
  input.focus();
  return true;
}
