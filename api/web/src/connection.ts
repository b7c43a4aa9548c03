/** Tells that the service cannot be reached, tries again by itself, and tells when it is back. */
import type { Context } from './context.ts';
import { h, fill } from './dom.ts';

/** Milliseconds between two tries, and how long it is told that the service is back. */
const AGAIN = 3000;
const TOLD = 4000;

export class Connection {
  private lost = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly root: HTMLElement,
    private readonly context: Context,
  ) {
    context.api.onReach = (reached) => (reached ? this.back() : void this.tryAgain());
    addEventListener('offline', () => this.lose());
    addEventListener('online', () => void this.tryAgain());
  }

  /** Say it in the language of the page. */
  render(): void {
    if (this.lost) this.say('connection.lost', 'lost');
  }

  private lose(): void {
    if (this.lost) return;
    this.lost = true;
    this.render();
    this.wait();
  }

  private back(): void {
    if (!this.lost) return;
    this.lost = false;
    clearTimeout(this.timer);
    this.say('connection.back', 'back');
    this.timer = setTimeout(() => (this.root.hidden = true), TOLD);
  }

  private wait(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.tryAgain(), AGAIN);
  }

  private async tryAgain(): Promise<void> {
    try {
      const { ok } = await fetch('/healthz', { cache: 'no-store' });
      if (ok) this.back();
    } catch {
      // One stream or request may break without the service being away; this says that it is.
      this.lose();
    }
    if (this.lost) this.wait();
  }

  private say(words: 'connection.lost' | 'connection.back', kind: string): void {
    this.root.hidden = false;
    this.root.className = kind;
    fill(this.root, h('span', {}, this.context.i18n.t(words)));
  }
}
