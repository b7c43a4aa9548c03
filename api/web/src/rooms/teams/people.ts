/** Who is in which team, since when and until when, and where the company's rules are broken. */
import type { Member, Roster } from '../../api.ts';
import { dayOf } from '../../dates.ts';
import { drawing, fill, h } from '../../dom.ts';
import type { Violation } from './api.ts';
import { MemberForm } from './member-form.ts';
import { stateOf } from './membership.ts';
import { nameOfRole, ROLES } from './roles.ts';
import { bar } from './svg.ts';
import { isMasked, personNames, type Desk, type View } from './view.ts';

const PENCIL = 'M4 20h4L19 9l-4-4L4 16z';
const COLUMNS = ['person', 'role', 'time', 'kpi', 'valid'] as const;

export async function peopleView(desk: Desk): Promise<View> {
  const { workspace } = desk;
  const { i18n } = workspace.context;
  const may = workspace.may('roster:write');
  const { items } = await desk.teams.violations(workspace.territory?.id ?? '');
  return {
    root: h(
      'div',
      { class: 'teams-people' },
      h('h3', {}, i18n.t('teams.rules')),
      items.length === 0
        ? h('p', { class: 'teams-kept' }, `✓ ${i18n.t('teams.rules.kept')}`)
        : h('ul', { class: 'team-rules' }, ...items.map((item) => violation(item, desk))),
      h('h3', {}, i18n.t('teams.members')),
      !may && h('p', { class: 'muted small' }, i18n.t('teams.members.read')),
      isMasked(desk.roster) && h('p', { class: 'muted small' }, i18n.t('teams.members.masked')),
      new People(desk, may).root,
    ),
  };
}

function violation({ severity, sentence, cure }: Violation, { workspace: { context } }: Desk): HTMLElement {
  const { language } = context.i18n;
  return h(
    'li',
    {},
    h(
      'span',
      { class: severity === 'block' ? 'tag beyond' : 'tag' },
      context.i18n.t(`teams.rules.${severity}`),
    ),
    sentence[language] ?? '',
    h('span', { class: 'second' }, cure[language] ?? ''),
  );
}

/** A table a team; who may change rosters opens one form at a time below it. */
class People {
  readonly root = h('div', {});
  private readonly names: Map<string, string>;
  private readonly departments: Map<string, string>;
  private readonly now = new Date().toISOString();
  private former = false;
  private closeOpen: () => void = () => undefined;

  constructor(
    private readonly desk: Desk,
    private readonly may: boolean,
  ) {
    this.names = personNames(desk.roster);
    const { departments, people } = desk.roster;
    const offices = new Map(departments.map(({ id, name }) => [id, name]));
    this.departments = new Map(
      people.map(({ id, department }) => [id, offices.get(department) ?? department]),
    );
    this.render();
  }

  private render(): void {
    const { roster, workspace } = this.desk;
    const { i18n } = workspace.context;
    const past = roster.members.filter((one) => stateOf(one, this.now) === 'over').length;
    const box = h('input', {
      type: 'checkbox',
      checked: this.former,
      onchange: () => {
        this.former = box.checked;
        this.render();
      },
    });
    fill(
      this.root,
      past > 0 &&
        h('label', { class: 'row' }, box, h('span', {}, i18n.t('teams.members.former', { n: past }))),
      ...roster.teams.map((team) => this.team(team)),
    );
  }

  private team({ id, name }: Roster['teams'][number]): HTMLElement {
    const { i18n } = this.desk.workspace.context;
    const slot = h('div', {});
    const members = this.desk.roster.members
      .filter((one) => one.team === id && (this.former || stateOf(one, this.now) !== 'over'))
      .sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role));
    const add = h(
      'button',
      {
        type: 'button',
        class: 'plain small',
        'aria-expanded': 'false',
        'aria-label': i18n.t('teams.member.add.title', { team: name }),
        onclick: () => this.open(slot, add, id, null),
      },
      i18n.t('teams.member.add'),
    );
    return h(
      'section',
      { class: 'team-people', 'data-team': id },
      h(
        'table',
        { class: 'team-members' },
        h('caption', {}, name),
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ...COLUMNS.map((key) => h('th', { scope: 'col' }, i18n.t(`teams.${key}`))),
            this.may && h('td', {}),
          ),
        ),
        h('tbody', {}, ...members.map((member) => this.row(member, slot))),
      ),
      this.may && add,
      slot,
    );
  }

  private row(member: Member, slot: HTMLElement): HTMLElement {
    const { i18n, format } = this.desk.workspace.context;
    const share = (value: number): HTMLElement =>
      h('td', { class: 'figure' }, format.percent(value), bar({ value, most: 1 }));
    const leads = member.role === 'lead' || member.acting;
    const state = stateOf(member, this.now);
    return h(
      'tr',
      { class: state === 'now' ? null : 'muted', 'data-person': member.person },
      h(
        'th',
        { scope: 'row' },
        leads && h('span', { class: 'lead-mark', 'aria-hidden': 'true' }, '★ '),
        leads ? h('strong', {}, this.name(member)) : this.name(member),
        h('span', { class: 'second' }, this.departments.get(member.person) ?? ''),
      ),
      h(
        'td',
        {},
        nameOfRole(member.role, i18n),
        member.acting && h('span', { class: 'tag' }, i18n.t('teams.acting')),
        member.backup && h('span', { class: 'tag' }, i18n.t('teams.backup')),
        state !== 'now' && h('span', { class: 'tag' }, i18n.t(`teams.member.state.${state}`)),
      ),
      share(member.time_share),
      share(member.kpi_share),
      this.valid(member),
      this.may && h('td', {}, state === 'over' ? null : this.changeButton(member, slot)),
    );
  }

  private name({ person }: Member): string {
    return this.names.get(person) ?? person;
  }

  private valid({ valid_from, valid_until }: Member): HTMLElement {
    const { i18n } = this.desk.workspace.context;
    const zone = this.desk.workspace.territory?.time_zone ?? 'UTC';
    const day = (instant: string): string => dayOf(new Date(instant), zone);
    const lines = [
      valid_from && i18n.t('teams.valid.from', { day: day(valid_from) }),
      valid_until && i18n.t('teams.valid.until', { day: day(valid_until) }),
    ].filter((text): text is string => Boolean(text));
    return h(
      'td',
      { class: 'dates' },
      ...(lines.length ? lines.map((text) => h('span', {}, text)) : [i18n.t('teams.valid.always')]),
    );
  }

  private changeButton(member: Member, slot: HTMLElement): HTMLElement {
    const { i18n } = this.desk.workspace.context;
    const words = { person: this.name(member), role: nameOfRole(member.role, i18n) };
    const label = i18n.t('teams.member.change.label', words);
    const button = h('button', {
      type: 'button',
      class: 'icon',
      title: label,
      'aria-label': label,
      'aria-expanded': 'false',
      onclick: () => this.open(slot, button, member.team, member),
    });
    button.append(drawing(PENCIL));
    return button;
  }

  private open(slot: HTMLElement, from: HTMLElement, team: string, member: Member | null): void {
    this.closeOpen();
    const form = new MemberForm(this.desk, team, member, () => {
      this.closeOpen();
      from.focus();
    });
    this.closeOpen = () => {
      fill(slot);
      from.setAttribute('aria-expanded', 'false');
      this.closeOpen = () => undefined;
    };
    fill(slot, form.root);
    from.setAttribute('aria-expanded', 'true');
    form.root.scrollIntoView({ block: 'nearest' });
    form.focus();
  }
}
