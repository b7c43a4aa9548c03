/** What a change of memberships would do to a person's shares, before it is saved. */
import { h } from '../../dom.ts';
import { later } from './membership.ts';
import type { ShareEffect } from './shares.ts';
import { bar } from './svg.ts';
import { teamNames, type Desk } from './view.ts';

/** A line and a bar for time and for assessment; what comes to more than all is said. */
export function sharesTable(effects: readonly ShareEffect[], at: string, desk: Desk): HTMLElement {
  return h('ul', { class: 'team-shares' }, ...effects.map((effect) => line(effect, at, desk)));
}

function line(effect: ShareEffect, at: string, { workspace, roster }: Desk): HTMLElement {
  const { i18n, format } = workspace.context;
  const { share, before, after, since, parts, over } = effect;
  const teams = teamNames(roster);
  const named = parts.map(
    ([team, value]) =>
      `${team === null ? i18n.t('teams.department') : (teams.get(team) ?? team)} ${format.percent(value)}`,
  );
  const words = {
    share: i18n.t(share === 'time_share' ? 'teams.time' : 'teams.kpi'),
    before: format.percent(before),
    after: format.percent(after),
    date: format.date(since, workspace.territory?.time_zone ?? 'UTC'),
  };
  return h(
    'li',
    { class: over ? 'beyond' : null },
    i18n.t(later(since, at) ? 'teams.shares.since' : 'teams.shares.line', words),
    over && h('strong', {}, ` ${i18n.t('teams.shares.over')}`),
    bar({ value: after, most: Math.max(1, after), capacity: 1, before: before === after ? null : before }),
    h('span', { class: 'second' }, named.join(' + ')),
  );
}
