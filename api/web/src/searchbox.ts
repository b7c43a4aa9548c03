/** The search box of the header: a list under it, worked by arrows, Enter and Escape. */
import type { Board } from './board.ts';
import type { Context } from './context.ts';
import { fill, h, withVars } from './dom.ts';
import { search, type Found } from './search.ts';

/** Pixels which the list keeps from the edges of the page and of the map. */
const EDGE = 8;
const TYPING = 'input:not([type=checkbox], [type=radio], [type=range]), select, textarea';

export class SearchBox {
  readonly root = h('div', { class: 'search', role: 'search' });
  private readonly input: HTMLInputElement;
  private readonly list = h('ul', { id: 'found', class: 'sheet', role: 'listbox', hidden: true });
  private found: Found[] = [];
  private at = -1;

  /** @param board what is on the map now; @param go is given what was chosen, and says why it cannot be shown. */
  constructor(
    private readonly context: Context,
    private readonly board: () => Board | null,
    private readonly go: (found: Found) => Promise<string | null>,
  ) {
    this.input = h('input', {
      id: 'search',
      type: 'text',
      role: 'combobox',
      autocomplete: 'off',
      spellcheck: 'false',
      'aria-expanded': 'false',
      'aria-controls': 'found',
      'aria-autocomplete': 'list',
      oninput: () => this.look(),
      onfocus: () => this.look(),
      onblur: () => this.close(),
      onkeydown: (event: Event) => this.onKey(event as KeyboardEvent),
    });
    this.root.append(this.input, this.list);
    document.addEventListener('keydown', (event) => {
      const { target } = event;
      const typing = target instanceof HTMLElement && target.matches(TYPING);
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.input.focus();
    });
    this.label();
  }

  /** Say it in the language of the page. */
  label(): void {
    const { i18n } = this.context;
    this.input.placeholder = i18n.t('search.placeholder');
    this.input.setAttribute('aria-label', i18n.t('search.label'));
    this.list.setAttribute('aria-label', i18n.t('search.found'));
    this.root.hidden = this.board() === null;
  }

  private look(): void {
    const board = this.board();
    this.found = board ? search(board, this.input.value) : [];
    this.at = this.found.length > 0 ? 0 : -1;
    this.show();
  }

  private show(): void {
    const { i18n } = this.context;
    const asked = this.input.value.trim() !== '';
    this.list.hidden = !asked;
    this.input.setAttribute('aria-expanded', String(asked && this.found.length > 0));
    const active = this.at >= 0 ? `found-${this.at}` : '';
    if (active) this.input.setAttribute('aria-activedescendant', active);
    else this.input.removeAttribute('aria-activedescendant');
    const lines = this.found.map((one, i) =>
      h(
        'li',
        {
          id: `found-${i}`,
          role: 'option',
          'aria-selected': String(i === this.at),
          // Before the box loses the focus, which would close the list.
          onmousedown: (event: Event) => {
            event.preventDefault();
            void this.take(one);
          },
        },
        h('span', { class: 'tag' }, i18n.t(`search.${one.kind}`)),
        ...this.words(one),
      ),
    );
    const nothing = h(
      'li',
      { role: 'option', 'aria-disabled': 'true', class: 'muted' },
      i18n.t('search.none'),
    );
    fill(this.list, ...(lines.length > 0 ? lines : [nothing]));
    this.place();
    this.list.children[this.at]?.scrollIntoView({ block: 'nearest' });
  }

  /** Under the box, but beside the map: its buttons stay in sight. */
  private place(): void {
    const box = this.root.getBoundingClientRect();
    const width = this.list.offsetWidth;
    const beside = document.getElementById('panel')?.getBoundingClientRect().left ?? 0;
    const left = Math.min(Math.max(box.left, beside + EDGE), innerWidth - width - EDGE);
    withVars(this.list, { '--left': `${left - box.left}px` });
  }

  private words(one: Found): (HTMLElement | string)[] {
    const { i18n } = this.context;
    if (one.kind === 'point') return [`${one.lat}, ${one.lon}`];
    if (one.kind === 'customer') return [i18n.t('search.askCustomer', { id: one.id })];
    if (one.kind === 'cell') return [one.title];
    const more =
      one.kind === 'team' ? [one.more, i18n.t('search.grids', { n: one.grids.length })] : [one.more];
    return [one.title, h('span', { class: 'muted' }, more.filter(Boolean).join(' · '))];
  }

  private onKey(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = this.found[this.at];
    if (step !== undefined && this.found.length > 0) {
      this.at = (this.at + step + this.found.length) % this.found.length;
      this.show();
    } else if (event.key === 'Enter' && chosen) void this.take(chosen);
    else if (event.key === 'Escape') {
      this.input.value = '';
      this.close();
      this.input.blur();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private async take(one: Found): Promise<void> {
    this.close();
    const why = await this.go(one);
    if (why === null) return;
    fill(this.list, h('li', { role: 'option', 'aria-disabled': 'true' }, why));
    this.list.hidden = false;
    this.place();
  }

  private close(): void {
    this.found = [];
    this.at = -1;
    this.list.hidden = true;
    this.input.setAttribute('aria-expanded', 'false');
    this.input.removeAttribute('aria-activedescendant');
  }
}
