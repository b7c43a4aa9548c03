/** Others' moves on a draft, as they happen. */

export interface Told {
  revision: number;
  actor: string;
  cells: number;
}

export class Others {
  private events: EventSource | null = null;

  constructor(private readonly hear: (told: Told) => void) {}

  /** Listen to one plan in place of the one before; null for none. */
  follow(plan: string | null): void {
    this.events?.close();
    this.events = plan === null ? null : new EventSource(`/v1/events?topics=moves&plan=${plan}`);
    this.events?.addEventListener('plan.moved', (event) =>
      this.hear(JSON.parse((event as MessageEvent<string>).data) as Told),
    );
  }
}
