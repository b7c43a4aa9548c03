/** From a draft to a publication: the rules it must keep, review, the date, and all that was published before. */
import './publish.css';
import { ApiError, type Publication } from '../../api.ts';
import { describeError } from '../../answer.ts';
import type { Board } from '../../board.ts';
import type { Stream } from '../../stream.ts';
import { fill, h } from '../../dom.ts';
import type { Key } from '../../i18n.ts';
import type { Room, Workspace } from '../../workspace.ts';
import { isStaleBase, nameOf, Publishing, stepsOf, type Gate, type Offender, type Step } from './api.ts';
import { changesList } from './changes.ts';
import { gateList } from './gates.ts';
import { timeline } from './timeline.ts';

export class PublishRoom implements Room {
  private readonly publishing: Publishing;
  private readonly ends: (() => void)[];
  private readonly told = h('div', { role: 'status' });
  private readonly gatesRoot = h('div', {});
  private readonly reviewRoot = h('div', {});
  private readonly timelineRoot = h('div', {});
  private readonly changesRoot = h('div', {});
  private events: Stream | null = null;
  private busy = false;

  constructor(private readonly workspace: Workspace) {
    this.publishing = new Publishing(workspace.context.api);
    this.ends = [
      workspace.on('board', () => this.renderAll()),
      workspace.on('lists', () => this.renderTimeline()),
    ];
  }

  render(panel: HTMLElement): void {
    const { i18n } = this.workspace.context;
    fill(
      panel,
      h('div', {}, h('h2', {}, i18n.t('publish.gates')), this.told, this.gatesRoot),
      this.reviewRoot,
      h('div', {}, h('h2', {}, i18n.t('publish.timeline')), this.asOf(), this.timelineRoot, this.changesRoot),
    );
    this.renderAll();
    this.listen();
  }

  stop(): void {
    this.events?.close();
    for (const end of this.ends) end();
  }

  private get board(): Board | null {
    return this.workspace.board;
  }

  private renderAll(): void {
    void this.renderGates();
    void this.renderReview();
    this.renderTimeline();
  }

  private async renderGates(): Promise<void> {
    const { board } = this;
    const { context } = this.workspace;
    if (!board || board.subject.publication) {
      fill(this.gatesRoot, h('p', { class: 'muted' }, context.i18n.t('publish.noPlan')));
      return;
    }
    await this.read(async () => {
      const gates = await this.publishing.gates(board);
      if (board !== this.board) return;
      const list = gateList(gates, context, {
        show: (offender) => this.show(offender),
        waive: (gate, offender) => this.waive(gate, offender),
        unwaive: (gate, grid) =>
          void this.run(async () => {
            await this.publishing.unwaive(board, gate.name, grid);
            await this.renderGates();
          }),
      });
      fill(this.gatesRoot, list);
    });
  }

  private show({ bbox, grid }: Offender): void {
    const { stage } = this.workspace;
    if (bbox) stage?.zoomToBox(bbox);
    void stage?.select(grid === undefined ? -1 : (this.board?.index.get(grid) ?? -1), -1);
  }

  private waive(gate: Gate, offender: Offender): void {
    const { board } = this;
    const { i18n } = this.workspace.context;
    const what = nameOf(offender);
    const reason = h('input', { type: 'text', required: true, maxlength: 500 });
    const form = h(
      'form',
      {
        class: 'publish-form',
        onsubmit: (event: Event) => {
          event.preventDefault();
          if (!board) return;
          void this.run(async () => {
            await this.publishing.waive(board, gate.name, what, reason.value);
            await this.renderGates();
          });
        },
      },
      h('label', {}, i18n.t('publish.waive.reason', { what }), reason),
      h('button', { type: 'submit', class: 'primary' }, i18n.t('publish.waive')),
    );
    fill(this.told, form);
    reason.focus();
  }

  private async renderReview(): Promise<void> {
    const { board } = this;
    const { i18n } = this.workspace.context;
    if (!board || board.subject.publication) {
      fill(this.reviewRoot);
      this.reviewRoot.hidden = true;
      return;
    }
    this.reviewRoot.hidden = false;
    const { status } = board.subject.plan;
    const reason = h('input', {
      type: 'text',
      maxlength: 500,
      'aria-label': i18n.t('publish.reason'),
      placeholder: i18n.t('publish.reason'),
    });
    const steps = stepsOf(status).map((step) =>
      h(
        'button',
        { type: 'button', class: 'plain', onclick: () => void this.take(board, step, reason.value) },
        i18n.t(`publish.step.${step}`),
      ),
    );
    const past = h('ul', { class: 'history' });
    fill(
      this.reviewRoot,
      h('h2', {}, i18n.t('publish.review')),
      h('p', {}, i18n.t('publish.status', { status: i18n.t(`plan.status.${status}` as Key) })),
      h('div', { class: 'row' }, reason, ...steps),
      ['draft', 'approved'].includes(status) && this.publishForm(board, reason),
      past,
    );
    await this.read(async () => {
      const lines = await this.publishing.reviews(board);
      fill(
        past,
        ...lines.map((line) =>
          h(
            'li',
            {},
            i18n.has(`publish.step.${line.action}`) ?? line.action,
            h('span', { class: 'second' }, [line.actor, line.reason].filter(Boolean).join(' · ')),
          ),
        ),
      );
    });
  }

  private publishForm(board: Board, reason: HTMLInputElement): HTMLElement {
    const { i18n } = this.workspace.context;
    const zone = board.territory.time_zone;
    const date = h('input', { type: 'date', hidden: true, 'aria-label': i18n.t('publish.date', { zone }) });
    const until = h('input', { type: 'date' });
    const choice = (value: 'now' | 'later', checked: boolean): HTMLElement =>
      h(
        'label',
        { class: 'segment' },
        h('input', {
          type: 'radio',
          name: 'when',
          value,
          checked,
          onchange: () => {
            date.hidden = value === 'now';
            date.required = value === 'later';
          },
        }),
        h('span', {}, i18n.t(`publish.${value}`)),
      );
    return h(
      'form',
      {
        class: 'publish-form',
        onsubmit: (event: Event) => {
          event.preventDefault();
          const effective = date.hidden ? null : date.value;
          void this.publish(board, { effective, transition: until.value || null, reason: reason.value });
        },
      },
      h(
        'div',
        { class: 'row', role: 'radiogroup', 'aria-label': i18n.t('publish.when') },
        h('span', {}, i18n.t('publish.when')),
        h('div', { class: 'segments' }, choice('now', true), choice('later', false)),
        date,
      ),
      h('label', { class: 'small' }, `${i18n.t('publish.transition')} `, until),
      h('button', { type: 'submit', class: 'primary' }, i18n.t('publish.step.publish')),
    );
  }

  private async take(board: Board, step: Step, reason: string): Promise<void> {
    await this.run(async () => {
      await this.publishing.step(board, step, reason);
      await this.workspace.showPlan(board.subject.plan.id);
    });
  }

  private async publish(board: Board, when: Parameters<Publishing['publish']>[1]): Promise<void> {
    const { i18n, format } = this.workspace.context;
    await this.run(
      async () => {
        const made = await this.publishing.publish(board, when);
        await this.workspace.reloadPublications();
        await this.workspace.showPublication(made);
        const carried = Number((made.summary as { carried?: number }).carried ?? 0);
        this.say(i18n.t('publish.done', { n: made.n }));
        if (carried > 0) this.say(i18n.t('publish.carried', { n: format.number(carried) }));
      },
      (error) => {
        if (!isStaleBase(error)) return false;
        fill(this.told, describeError(error, this.workspace.context), this.rebaseOffer(board));
        return true;
      },
    );
  }

  private rebaseOffer(board: Board): HTMLElement {
    const { i18n } = this.workspace.context;
    const choice = (prefer: 'mine' | 'theirs'): HTMLElement =>
      h(
        'button',
        {
          type: 'button',
          class: 'plain',
          onclick: () =>
            void this.run(async () => {
              await this.publishing.rebase(board, prefer);
              await this.workspace.showPlan(board.subject.plan.id);
            }),
        },
        i18n.t(`publish.rebase.${prefer}`),
      );
    return h(
      'div',
      { class: 'stack' },
      h('p', {}, i18n.t('publish.rebase')),
      h('div', { class: 'row' }, choice('mine'), choice('theirs')),
    );
  }

  private asOf(): HTMLElement {
    const { i18n } = this.workspace.context;
    const date = h('input', {
      type: 'date',
      'aria-label': i18n.t('publish.asOf'),
      onchange: () => {
        // The end of that day, in the reader's own zone: what came into force on it counts.
        const end = new Date(`${date.value}T23:59:59`);
        const found = this.workspace.publications
          .filter((item) => item.line === 'base' && new Date(item.effective_at) <= end)
          .sort((a, b) => b.n - a.n)[0];
        if (found) void this.read(() => this.workspace.showPublication(found));
        else this.say(i18n.t('publish.none'));
      },
    });
    return h('label', { class: 'row as-of small' }, h('span', {}, i18n.t('publish.asOf')), date);
  }

  private renderTimeline(): void {
    const { context, publications, territory } = this.workspace;
    const shown = this.board?.subject.publication?.n ?? null;
    const base = publications.filter((item) => item.line === 'base');
    const list = timeline(base, shown, territory?.time_zone ?? 'UTC', context, {
      look: (item) => void this.read(() => this.workspace.showPublication(item)),
      again: (item) => void this.again(item),
      since: (item) => void this.since(item),
    });
    fill(this.timelineRoot, list);
  }

  private async again(item: Publication): Promise<void> {
    await this.run(async () => {
      const made = await this.publishing.again(item, '');
      await this.workspace.reloadPublications();
      await this.workspace.showPublication(made);
      this.say(this.workspace.context.i18n.t('publish.done', { n: made.n }));
    });
  }

  private async since(item: Publication): Promise<void> {
    const now = this.workspace.publications.find(
      ({ state, line }) => state === 'in-force' && line === item.line,
    );
    if (!now) return;
    await this.read(async () => {
      const list = await changesList(this.publishing, item, now.n, this.workspace.context);
      fill(this.changesRoot, list);
      this.changesRoot.scrollIntoView({ block: 'nearest' });
    });
  }

  /** Lists follow what others publish and decide. */
  private listen(): void {
    this.events?.close();
    const id = this.workspace.territory?.id;
    if (!id) return;
    const handlers: Record<string, () => void> = {
      'publication.published': () => void this.workspace.reloadPublications(),
    };
    for (const kind of ['opened', 'accepted', 'rejected', 'withdrawn']) {
      handlers[`request.${kind}`] = () => void this.renderGates();
    }
    const { api } = this.workspace.context;
    this.events = api.stream({ topics: 'publications,requests', territory: id }, handlers);
  }

  private say(text: string): void {
    fill(this.told, h('p', {}, text));
  }

  private async read(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      fill(this.told, describeError(error, this.workspace.context));
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** Change something, one thing at a time. */
  private async run(
    work: () => Promise<unknown>,
    refused: (error: unknown) => boolean = () => false,
  ): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    fill(this.told);
    try {
      await this.read(() =>
        work().catch((error: unknown) => {
          if (!refused(error)) throw error;
        }),
      );
    } finally {
      this.busy = false;
    }
  }
}
