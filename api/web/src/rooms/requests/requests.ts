/** Requests of districts: listed by state and deadline, seen with their effect, talked over and decided. */
import { ApiError, type Roster } from '../../api.ts';
import { describeError } from '../../answer.ts';
import type { Stream } from '../../stream.ts';
import { fill, h } from '../../dom.ts';
import { Mark } from '../../mesh/layer.ts';
import type { Room, Workspace } from '../../workspace.ts';
import { Requests, type NewRequest, type RequestDetail, type RequestLine, type State } from './api.ts';
import { effectOf } from './effect.ts';
import { Making } from './making.ts';

const STATES: readonly State[] = ['open', 'accepted', 'rejected', 'withdrawn'];

export class RequestsRoom implements Room {
  private readonly requests: Requests;
  private readonly ends: (() => void)[];
  private readonly told = h('div', { role: 'status' });
  private readonly body = h('div', {});
  private panel: HTMLElement | null = null;
  private state: State | null = 'open';
  private roster: Roster | null = null;
  private making: Making | null = null;
  private shown: string | null = null;
  private events: Stream | null = null;

  constructor(private readonly workspace: Workspace) {
    this.requests = new Requests(workspace.context.api);
    this.ends = [
      workspace.on('territory', () => this.restart()),
      workspace.on('board', () => void this.renderBody()),
    ];
  }

  render(panel: HTMLElement): void {
    this.panel = panel;
    this.restart();
  }

  stop(): void {
    this.leaveMaking();
    this.events?.close();
    void this.workspace.stage?.mark(null);
    for (const end of this.ends) end();
  }

  private restart(): void {
    const { territory, context } = this.workspace;
    if (!this.panel) return;
    fill(this.panel, h('div', {}, h('h2', {}, context.i18n.t('requests.title')), this.told, this.body));
    if (!territory) return;
    void context.api.roster(territory.id).then((roster) => {
      this.roster = roster;
    });
    this.events?.close();
    const handlers: Record<string, () => void> = {};
    for (const kind of ['opened', 'accepted', 'rejected', 'withdrawn', 'commented']) {
      handlers[`request.${kind}`] = () => {
        if (!this.making) void this.renderBody();
      };
    }
    this.events = context.api.stream({ topics: 'requests', territory: territory.id }, handlers);
    void this.renderBody();
  }

  private async renderBody(): Promise<void> {
    this.leaveMaking();
    if (this.shown !== null) await this.renderOne(this.shown);
    else await this.renderList();
  }

  // --- the list

  private async renderList(): Promise<void> {
    const { territory, context } = this.workspace;
    const { i18n } = context;
    if (!territory) return;
    await this.read(async () => {
      const items = await this.requests.list(territory.id, this.state);
      if (this.shown !== null || this.making) return;
      const states = [...STATES, null].map((state) =>
        h(
          'label',
          { class: 'segment' },
          h('input', {
            type: 'radio',
            name: 'request-state',
            checked: state === this.state,
            onchange: () => {
              this.state = state;
              void this.renderList();
            },
          }),
          h('span', {}, i18n.t(`requests.state.${state ?? 'all'}`)),
        ),
      );
      fill(
        this.body,
        h('div', { class: 'segments' }, ...states),
        items.length === 0
          ? h('p', { class: 'muted' }, i18n.t('requests.none'))
          : h('ul', { class: 'plan-list' }, ...items.map((item) => this.line(item))),
        this.workspace.board &&
          h(
            'button',
            { type: 'button', class: 'primary', onclick: () => this.make() },
            i18n.t('requests.new'),
          ),
      );
    });
  }

  private line(item: RequestLine): HTMLElement {
    const { i18n } = this.workspace.context;
    return h(
      'li',
      {},
      h(
        'button',
        {
          type: 'button',
          class: 'plain',
          onclick: () => {
            this.shown = item.id;
            void this.renderBody();
          },
        },
        this.wish(item),
      ),
      h('p', {}, item.reason),
      this.stand(item),
      h(
        'p',
        { class: 'muted small' },
        i18n.t('requests.by', { actor: item.asked_by, date: this.day(item.recorded_at) }),
      ),
    );
  }

  private wish(item: RequestLine): string {
    const { i18n, format } = this.workspace.context;
    const team = this.roster?.teams.find(({ id }) => id === item.team)?.name ?? item.team ?? '';
    const person = this.roster?.people.find(({ id }) => id === item.person)?.name ?? item.person ?? '';
    return i18n.t(`requests.kind.${item.kind}`, {
      n: format.number(item.cell_count),
      to: item.to ?? '',
      team,
      person,
    });
  }

  private stand(item: RequestLine): HTMLElement {
    const { i18n } = this.workspace.context;
    const state = i18n.t(`requests.state.${item.state}`);
    if (item.state !== 'open') {
      const words = { state, actor: item.decided_by ?? item.asked_by, reason: item.decision ?? '' };
      return h('p', { class: 'small' }, i18n.t('requests.decided', words));
    }
    const due = i18n.t(item.overdue ? 'requests.overdue' : 'requests.due', { date: this.day(item.due_at) });
    return h(
      'p',
      { class: 'small' },
      h('span', { class: 'tag' }, state),
      h('span', { class: item.overdue ? 'beyond' : null }, due),
    );
  }

  /** Deadlines are the end of a day: the day before midnight is the one to name. */
  private day(instant: string): string {
    const { territory, context } = this.workspace;
    const before = new Date(new Date(instant).getTime() - 1).toISOString();
    return context.format.date(before, territory?.time_zone ?? 'UTC');
  }

  // --- one request

  private async renderOne(id: string): Promise<void> {
    const { board } = this.workspace;
    const draft = board && !board.subject.publication && board.subject.plan.status === 'draft' ? board : null;
    await this.read(async () => {
      const request = await this.requests.get(id, draft?.subject.plan.id ?? null);
      if (this.shown !== id) return;
      this.showCells(request);
      fill(
        this.body,
        h(
          'button',
          {
            type: 'button',
            class: 'plain',
            onclick: () => {
              this.shown = null;
              void this.workspace.stage?.mark(null);
              void this.renderBody();
            },
          },
          `← ${this.workspace.context.i18n.t('requests.back')}`,
        ),
        h('h3', {}, this.wish(request)),
        h('p', {}, request.reason),
        this.stand(request),
        effectOf(request, board, this.workspace.context),
        this.talk(request),
        request.state === 'open' && this.decision(request, draft?.subject ?? null),
      );
    });
  }

  private showCells({ cells }: RequestDetail): void {
    const { board, stage } = this.workspace;
    if (!board || cells.length === 0) return;
    const marks = new Uint8Array(board.labels.length);
    for (const cell of cells) {
      const row = board.ground.finder.rowOf(cell);
      if (row >= 0) marks[row] = Mark.chosen;
    }
    void stage?.mark(marks);
    const row = board.ground.finder.rowOf(cells[0] ?? '');
    if (row >= 0) stage?.goTo(board.ground.finder.middle(row));
  }

  private talk(request: RequestDetail): HTMLElement {
    const { i18n } = this.workspace.context;
    const text = h('input', {
      type: 'text',
      maxlength: 2000,
      required: true,
      placeholder: i18n.t('requests.say'),
    });
    return h(
      'div',
      {},
      h('h3', {}, i18n.t('requests.comments')),
      h(
        'ul',
        { class: 'history' },
        ...request.comments.map((comment) =>
          h(
            'li',
            {},
            comment.text,
            h('span', { class: 'second' }, `${comment.actor} · ${this.day(comment.recorded_at)}`),
          ),
        ),
      ),
      h(
        'form',
        {
          class: 'row',
          onsubmit: (event: Event) => {
            event.preventDefault();
            void this.change(() => this.requests.comment(request.id, text.value));
          },
        },
        text,
        h('button', { type: 'submit', class: 'plain' }, i18n.t('requests.comment')),
      ),
    );
  }

  private decision(
    request: RequestDetail,
    draft: { plan: { id: string }; revision: number } | null,
  ): HTMLElement {
    const { i18n } = this.workspace.context;
    const reason = h('input', { type: 'text', maxlength: 2000, placeholder: i18n.t('requests.reason') });
    const isMove = request.kind === 'move';
    const accept = async (): Promise<void> => {
      await this.change(async () => {
        const plan = isMove ? (draft?.plan.id ?? null) : null;
        await this.requests.accept(request.id, reason.value, plan, draft?.revision ?? null);
        if (isMove) await this.workspace.reload();
      });
    };
    return h(
      'div',
      { class: 'stack' },
      isMove && h('p', { class: 'muted small' }, i18n.t(draft ? 'requests.draft' : 'requests.noDraft')),
      h(
        'div',
        { class: 'row' },
        reason,
        h(
          'button',
          { type: 'button', class: 'primary', disabled: isMove && !draft, onclick: () => void accept() },
          i18n.t('requests.accept'),
        ),
        h(
          'button',
          {
            type: 'button',
            class: 'plain',
            onclick: () => void this.change(() => this.requests.reject(request.id, reason.value)),
          },
          i18n.t('requests.reject'),
        ),
        h(
          'button',
          {
            type: 'button',
            class: 'plain',
            onclick: () => void this.change(() => this.requests.withdraw(request.id)),
          },
          i18n.t('requests.withdraw'),
        ),
      ),
    );
  }

  // --- a new one

  private make(): void {
    const { board, context } = this.workspace;
    if (!board) return;
    this.leaveMaking();
    this.making = new Making(this.workspace, board, this.roster, (request) => void this.sent(request));
    fill(
      this.body,
      h(
        'button',
        { type: 'button', class: 'plain', onclick: () => void this.renderBody() },
        `← ${context.i18n.t('requests.back')}`,
      ),
      h('h3', {}, context.i18n.t('requests.new')),
      this.making.root,
    );
  }

  private async sent(request: NewRequest): Promise<void> {
    const { i18n } = this.workspace.context;
    await this.read(async () => {
      const made = await this.requests.make(request);
      await this.renderBody();
      fill(this.told, h('p', {}, i18n.t('requests.new.sent', { date: this.day(made.due_at) })));
    });
  }

  private leaveMaking(): void {
    this.making?.stop();
    this.making = null;
  }

  private async change(work: () => Promise<unknown>): Promise<void> {
    fill(this.told);
    await this.read(async () => {
      await work();
      await this.renderBody();
    });
  }

  private async read(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      fill(this.told, describeError(error, this.workspace.context));
      if (!(error instanceof ApiError)) throw error;
    }
  }
}
