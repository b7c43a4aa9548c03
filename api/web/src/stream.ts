/** Events of the service as they happen; taken up again whenever the connection breaks. */

/** Milliseconds before a stream is opened anew which a proxy has ended with an error. */
const AGAIN = 3000;

export type Handlers = Readonly<Record<string, (data: unknown) => void>>;

export class Stream {
  private events: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param reached is told whenever the service is reached, or not. */
  constructor(
    private readonly address: string,
    private readonly handlers: Handlers,
    private readonly reached: (reached: boolean) => void,
  ) {
    this.open();
  }

  close(): void {
    clearTimeout(this.timer);
    this.events?.close();
  }

  private open(): void {
    const events = new EventSource(this.address);
    this.events = events;
    for (const [name, handle] of Object.entries(this.handlers)) {
      events.addEventListener(name, (event) => handle(JSON.parse((event as MessageEvent<string>).data)));
    }
    events.addEventListener('open', () => this.reached(true));
    events.addEventListener('error', () => {
      this.reached(false);
      // A browser tries again by itself where the connection broke, but not where it was answered wrongly.
      if (events.readyState === EventSource.CLOSED) this.timer = setTimeout(() => this.open(), AGAIN);
    });
  }
}
