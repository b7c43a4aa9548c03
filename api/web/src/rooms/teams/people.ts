/** Who is in which team, with shares of time and assessment, and where the company's rules are broken. */
import type { Roster } from '../../api.ts';
import { h } from '../../dom.ts';
import type { Violation } from './api.ts';
import { bar } from './svg.ts';
import { personNames, type Desk, type View } from './view.ts';

const ROLES = ['lead', 'enterprise', 'vip', 'maintenance', 'member'];

export async function peopleView(desk: Desk): Promise<View> {
  const { territory, context } = desk.workspace;
  const { i18n } = context;
  const { items } = await desk.teams.violations(territory?.id ?? '');
  return {
    root: h(
      'div',
      { class: 'teams-people' },
      h('h3', {}, i18n.t('teams.rules')),
      items.length === 0
        ? h('p', { class: 'teams-kept' }, `✓ ${i18n.t('teams.rules.kept')}`)
        : h('ul', { class: 'team-rules' }, ...items.map((item) => violation(item, desk))),
      h('h3', {}, i18n.t('teams.members')),
      ...desk.roster.teams.map((team) => teamTable(team, desk)),
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

function teamTable({ id, name }: Roster['teams'][number], desk: Desk): HTMLElement {
  const { i18n } = desk.workspace.context;
  const people = personNames(desk.roster);
  const members = desk.roster.members
    .filter(({ team }) => team === id)
    .sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role));
  return h(
    'table',
    { class: 'team-members' },
    h('caption', {}, name),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ...(['person', 'role', 'time', 'kpi'] as const).map((key) =>
          h('th', { scope: 'col' }, i18n.t(`teams.${key}`)),
        ),
      ),
    ),
    h('tbody', {}, ...members.map((member) => memberRow(member, people, desk))),
  );
}

function memberRow(
  member: Roster['members'][number],
  people: Map<string, string>,
  { workspace: { context } }: Desk,
): HTMLElement {
  const { i18n, format } = context;
  const share = (value: number): HTMLElement =>
    h('td', { class: 'figure' }, format.percent(value), bar({ value, most: 1 }));
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, people.get(member.person) ?? member.person),
    h(
      'td',
      {},
      i18n.has(`teams.role.${member.role}`) ?? member.role,
      member.acting && h('span', { class: 'tag' }, i18n.t('teams.acting')),
      member.backup && h('span', { class: 'tag' }, i18n.t('teams.backup')),
    ),
    share(member.time_share),
    share(member.kpi_share),
  );
}
