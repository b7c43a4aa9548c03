/** The 'who owns this?' box. */
import type { Crs, OwnerAnswer, OwnerQuestion } from './api.ts';
import { describeAnswer, describeError, describeOwner } from './answer.ts';
import { h } from './dom.ts';
import { looksLikePoint, readQuestion, type Kind } from './question.ts';
import type { Context } from './context.ts';

const KINDS: readonly Kind[] = ['point', 'cell', 'customer'];
const SYSTEMS: Readonly<Record<Crs, string>> = { wgs84: 'WGS-84', gcj02: 'GCJ-02', bd09: 'BD-09' };

export class OwnerBox {
  private kind: Kind = 'point';
  private crs: Crs = 'wgs84';
  private text = '';
  private last: OwnerQuestion | null = null;
  /** Counts questions, so that a late answer to an earlier one is dropped. */
  private turn = 0;
  private readonly result = h('div', { class: 'result', 'aria-live': 'polite' });

  /**
   * @param onAnswer is given each answer with its question; null when there was none.
   */
  constructor(
    private readonly root: HTMLElement,
    private readonly context: Context,
    private readonly onAnswer: (answer: OwnerAnswer | null, question: OwnerQuestion) => void,
  ) {}

  /** Draw the box for a territory; `example` is a point in it, written as one would type it. */
  render(territory: string, example: string): void {
    const { i18n } = this.context;
    const input = h('input', {
      type: 'text',
      name: 'what',
      value: this.text,
      autocomplete: 'off',
      spellcheck: 'false',
      'aria-label': i18n.t(`owner.placeholder.${this.kind}`),
      placeholder: this.placeholder(example),
    });
    const crs = this.crsSelect();
    const kind = this.kindSelect(() => {
      crs.hidden = this.kind !== 'point';
      input.placeholder = this.placeholder(example);
      input.setAttribute('aria-label', i18n.t(`owner.placeholder.${this.kind}`));
    });
    input.addEventListener('input', () => {
      this.text = input.value;
      if (looksLikePoint(input.value) && this.kind !== 'point') {
        kind.value = 'point';
        kind.dispatchEvent(new Event('change'));
      }
    });
    const submit = (event: Event): void => {
      event.preventDefault();
      void this.submit(territory, example);
    };
    this.root.replaceChildren(
      h('h2', {}, i18n.t('owner.title')),
      h(
        'form',
        { onsubmit: submit },
        kind,
        crs,
        input,
        h('button', { type: 'submit', class: 'primary' }, i18n.t('owner.ask')),
      ),
      this.result,
    );
    if (this.last) void this.ask(territory, this.last);
  }

  /** Forget the last answer, as when another territory is chosen. */
  forget(): void {
    this.turn++;
    this.last = null;
    this.result.replaceChildren();
  }

  private placeholder(example: string): string {
    const words = this.context.i18n.t(`owner.placeholder.${this.kind}`);
    return this.kind === 'point' ? `${words}  (${example})` : words;
  }

  private kindSelect(onChange: () => void): HTMLSelectElement {
    const { i18n } = this.context;
    const select = h('select', {
      'aria-label': i18n.t('owner.kind'),
      onchange: () => {
        this.kind = KINDS.find((kind) => kind === select.value) ?? 'point';
        onChange();
      },
    });
    for (const kind of KINDS) {
      select.append(h('option', { value: kind, selected: kind === this.kind }, i18n.t(`owner.kind.${kind}`)));
    }
    return select;
  }

  private crsSelect(): HTMLSelectElement {
    const select = h('select', {
      'aria-label': this.context.i18n.t('owner.crs'),
      hidden: this.kind !== 'point',
      onchange: () => {
        this.crs = select.value as Crs;
      },
    });
    for (const [id, name] of Object.entries(SYSTEMS)) {
      select.append(h('option', { value: id, selected: id === this.crs }, name));
    }
    return select;
  }

  private async submit(territory: string, example: string): Promise<void> {
    const question = readQuestion(this.kind, this.text, this.crs);
    if (typeof question === 'string') {
      const hint = this.context.i18n.t(question, { example });
      this.turn++;
      this.result.replaceChildren(h('p', { class: 'hint', role: 'alert' }, hint));
      return;
    }
    await this.ask(territory, question);
  }

  private async ask(territory: string, question: OwnerQuestion): Promise<void> {
    const turn = ++this.turn;
    this.last = question;
    this.result.replaceChildren(h('p', { class: 'muted' }, this.context.i18n.t('owner.asking')));
    try {
      const answer = await this.context.api.owner(territory, question);
      if (turn !== this.turn) return;
      this.result.replaceChildren(describeOwner(answer, this.context), describeAnswer(answer, this.context));
      this.onAnswer(answer, question);
    } catch (error) {
      if (turn !== this.turn) return;
      this.result.replaceChildren(describeError(error, this.context));
      this.onAnswer(null, question);
    }
  }
}
