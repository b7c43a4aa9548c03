/** Pieces which the steps of the beginning have in common. */
import type { Context } from '../../context.ts';
import { fill, h } from '../../dom.ts';
import type { Job } from '../plans/solving.ts';
import { messageOf } from '../plans/messages.ts';

const SYSTEMS = ['file', 'wgs84', 'gcj02', 'bd09'] as const;

export const LAYERS = '.geojson,.json,.gpkg,.zip,.fgb,.parquet,.kml,.kmz,.csv,.xlsx';

export function field(label: string, input: HTMLElement, help?: string): HTMLElement {
  return h(
    'label',
    { class: 'field' },
    h('span', {}, label),
    input,
    help && h('span', { class: 'muted small' }, help),
  );
}

export function fileInput(accept: string, onchange: (file: File) => void): HTMLInputElement {
  const input = h('input', {
    type: 'file',
    accept,
    required: true,
    onchange: () => {
      const [file] = input.files ?? [];
      if (file) onchange(file);
    },
  });
  return input;
}

/** The system of coordinates; null where the file's word is taken. */
export function crsSelect({ i18n }: Context): { element: HTMLSelectElement; value(): string | null } {
  const element = h(
    'select',
    {},
    ...SYSTEMS.map((system) => h('option', { value: system }, i18n.t(`begin.crs.${system}`))),
  );
  return { element, value: () => (element.value === 'file' ? null : element.value) };
}

/** A field for a column: to pick from those known, or to type in where only the service can read the file. */
export class ColumnInput {
  readonly element: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly list: HTMLDataListElement;

  constructor(name: string, value = '', placeholder = '') {
    this.list = h('datalist', { id: `columns-${name}` });
    this.input = h('input', { type: 'text', value, placeholder, list: this.list.id, autocomplete: 'off' });
    this.element = h('span', { class: 'column' }, this.input, this.list);
  }

  get value(): string {
    return this.input.value.trim();
  }

  /** @param first the column to fill in unless somebody typed one. */
  offer(columns: readonly string[], first?: string): void {
    fill(this.list, ...columns.map((column) => h('option', { value: column })));
    if (first !== undefined) this.input.value = first;
  }
}

/** How far the work at hand is. */
export function progressOf(job: Job, { i18n, format }: Context): HTMLElement {
  return h(
    'div',
    { class: 'progress' },
    h('p', {}, `${messageOf(job.message, i18n) || i18n.t('plans.waiting')} · ${format.percent(job.share)}`),
    h('progress', { max: 1, value: job.share, 'aria-label': i18n.t('plans.progress') }),
  );
}

/** A form which cannot be sent twice; errors are for whoever made it to tell. */
export function form(
  submit: string,
  send: () => Promise<void>,
  ...children: Parameters<typeof fill>[1][]
): HTMLFormElement {
  const button = h('button', { type: 'submit', class: 'primary' }, submit);
  return h(
    'form',
    {
      class: 'form',
      onsubmit: (event: Event) => {
        event.preventDefault();
        button.disabled = true;
        void send().finally(() => {
          button.disabled = false;
        });
      },
    },
    ...children,
    button,
  );
}
