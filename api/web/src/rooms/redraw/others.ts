/** Others' moves on a draft, as they happen. */
import type { Api } from '../../api.ts';
import type { Stream } from '../../stream.ts';

export interface Told {
  revision: number;
  actor: string;
  cells: number;
}

export class Others {
  private events: Stream | null = null;

  constructor(
    private readonly api: Api,
    private readonly hear: (told: Told) => void,
  ) {}

  /** Listen to one plan in place of the one before; null for none. */
  follow(plan: string | null): void {
    this.events?.close();
    const handlers = { 'plan.moved': (told: unknown) => this.hear(told as Told) };
    this.events = plan === null ? null : this.api.stream({ topics: 'moves', plan }, handlers);
  }
}
