/** Pieces which the dialogs of this room have in common. */
import { h } from '../../dom.ts';
import type { I18n } from '../../i18n.ts';
import type { Workspace } from '../../workspace.ts';

export interface Desk {
  workspace: Workspace;
  /** Do one thing at a time; what goes wrong is told in words. */
  run(work: () => Promise<unknown>): Promise<void>;
}

export interface Dialog {
  root: HTMLElement;
  stop?(): void;
}

export type Control = HTMLInputElement | HTMLSelectElement;

export function field(label: string, control: Control, ...more: (HTMLElement | null)[]): HTMLElement {
  control.id = `data-${control.name}`;
  return h('div', { class: 'field' }, h('label', { for: control.id }, label), control, ...more);
}

export function select(name: string, options: readonly [value: string, text: string][]): HTMLSelectElement {
  return h('select', { name }, ...options.map(([value, text]) => h('option', { value }, text)));
}

/** A system of coordinates: one of those known by name, or any EPSG code. */
export class CrsChoice {
  readonly root: HTMLElement;
  private readonly choice: HTMLSelectElement;
  private readonly code: HTMLInputElement;

  constructor(i18n: I18n, first: 'wgs84' | 'file') {
    const names = ['wgs84', 'gcj02', 'bd09', 'other'] as const;
    this.choice = select('crs', [
      ...(first === 'file' ? [['', i18n.t('data.crs.file')] as [string, string]] : []),
      ...names.map((name): [string, string] => [name, i18n.t(`data.crs.${name}`)]),
    ]);
    this.code = h('input', {
      type: 'text',
      name: 'epsg',
      hidden: true,
      placeholder: 'EPSG:4547',
      'aria-label': i18n.t('data.crs.code'),
    });
    this.choice.addEventListener('change', () => {
      this.code.hidden = this.choice.value !== 'other';
      this.code.required = !this.code.hidden;
    });
    this.root = field(i18n.t('data.crs'), this.choice, this.code);
  }

  /** As the service takes it; null for what the file says. */
  get value(): string | null {
    if (this.choice.value !== 'other') return this.choice.value || null;
    const code = this.code.value.trim();
    return /^\d+$/.test(code) ? `EPSG:${code}` : code;
  }
}
