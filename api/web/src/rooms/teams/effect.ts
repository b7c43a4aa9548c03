/** What a handover would come to, in sentences. */
import { h } from '../../dom.ts';
import type { Handover } from './api.ts';
import { gridWords } from './handover.ts';
import { nameOfRole } from './roles.ts';
import { personNames, teamNames, type Desk } from './view.ts';

export function effectOf(told: Handover, desk: Desk): HTMLElement {
  const { i18n, format } = desk.workspace.context;
  const zone = desk.workspace.territory?.time_zone ?? 'UTC';
  const [teams, people] = [teamNames(desk.roster), personNames(desk.roster)];
  const team = (id: string): string => teams.get(id) ?? id;
  const person = (id: string): string => people.get(id) ?? id;
  const { passed = [], vacant = [], heads = [] } = told.effect;
  const lines = passed.map((place) =>
    i18n.t(place.acting ? 'teams.hand.passesActing' : 'teams.hand.passes', {
      role: nameOfRole(place.role, i18n),
      team: team(place.team),
      from: person(place.person),
      to: person(place.to),
      date: format.date(place.start, zone),
      acting: person(place.acting ?? ''),
    }),
  );
  const open = vacant.map((place) =>
    i18n.t('teams.hand.vacant', { role: nameOfRole(place.role, i18n), team: team(place.team) }),
  );
  const departments = new Map(desk.roster.departments.map(({ id, name }) => [id, name]));
  const names = heads.map((id) => departments.get(id) ?? id).join(', ');
  const { moments, checked, orphans } = told.proof.after;
  return h(
    'ul',
    { class: 'team-sentences' },
    told.kind === 'grid' && h('li', {}, i18n.t('teams.hand.moves', gridWords(told, desk))),
    ...lines.map((text) => h('li', {}, text)),
    ...open.map((text) => h('li', { class: 'beyond' }, text)),
    names && h('li', { class: 'beyond' }, i18n.t('teams.hand.heads', { names })),
    h(
      'li',
      { class: orphans.length ? 'beyond' : 'muted' },
      i18n.t('teams.hand.proof', { checked, moments: moments.length, orphans: orphans.length }),
    ),
  );
}
