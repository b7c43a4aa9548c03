/** A membership added, changed or ended from a day on; what it does to shares is shown before it is saved. */
import type { Member } from '../../api.ts';
import { dayOf, startOf } from '../../dates.ts';
import { fill, h } from '../../dom.ts';
import type { Key } from '../../i18n.ts';
import { clearFaults, field, select, tellFault, tick } from './fields.ts';
import {
  changing,
  ending,
  joining,
  leadsOf,
  later,
  succeeding,
  type Formerly,
  type Given,
  type Operation,
  type When,
} from './membership.ts';
import { nameOfRole, ROLES } from './roles.ts';
import { shareEffects } from './shares.ts';
import { sharesTable } from './sharing.ts';
import { personNames, type Desk, type Option } from './view.ts';

type Kind = 'add' | 'change' | 'end';
const FORMERLY: readonly Formerly[] = ['stays', 'leaves', 'leads'];
/** Names of fields which the service calls otherwise than this form. */
const FIELDS = { lead: 'role', id: 'person' };

export class MemberForm {
  readonly root = h('form', { class: 'form team-form' });
  private readonly kind: () => Kind;
  private readonly fields = h('div', { class: 'fields' });
  private readonly formerly = h('div', {});
  private readonly effect = h('div', { 'aria-live': 'polite' });
  private readonly zone: string;
  private ends = false;

  /** @param old null to add a member; @param close is called when the form is done with. */
  constructor(
    private readonly desk: Desk,
    private readonly team: string,
    private readonly old: Member | null,
    private readonly close: () => void,
  ) {
    this.zone = desk.workspace.territory?.time_zone ?? 'UTC';
    this.kind = () => (old === null ? 'add' : this.ends ? 'end' : 'change');
    this.root.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.save();
    });
    this.root.addEventListener('input', () => this.renderEffect());
    this.root.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.close();
    });
    fill(this.root, h('h4', {}, this.title()), old && this.choice(), this.fields);
    this.renderFields();
  }

  focus(): void {
    this.root.querySelector<HTMLElement>('input, select')?.focus();
  }

  private get i18n(): Desk['workspace']['context']['i18n'] {
    return this.desk.workspace.context.i18n;
  }

  private title(): string {
    const { old, desk, i18n } = this;
    const team = desk.roster.teams.find(({ id }) => id === this.team)?.name ?? this.team;
    if (old === null) return i18n.t('teams.member.add.title', { team });
    const person = personNames(desk.roster).get(old.person) ?? old.person;
    return i18n.t('teams.member.change.title', { team, person });
  }

  private choice(): HTMLElement {
    const kinds = (['change', 'end'] as const).map((kind) =>
      h(
        'label',
        { class: 'segment' },
        h('input', {
          type: 'radio',
          name: 'member-kind',
          checked: kind === 'change',
          onchange: () => {
            this.ends = kind === 'end';
            this.renderFields();
          },
        }),
        h('span', {}, this.i18n.t(`teams.member.${kind}`)),
      ),
    );
    return h('div', { class: 'segments', role: 'radiogroup', 'aria-label': this.title() }, ...kinds);
  }

  private renderFields(): void {
    const { i18n } = this;
    const kind = this.kind();
    fill(
      this.fields,
      ...(kind === 'end' ? [] : this.given()),
      this.date('from', `teams.member.${kind}.from`, dayOf(new Date(), this.zone), true),
      kind !== 'end' && this.date('valid_until', 'teams.member.until', this.untilDay(), false),
      this.input('reason', 'teams.member.reason', { type: 'text', maxlength: 500 }),
      this.formerly,
      this.effect,
      h(
        'div',
        { class: 'row' },
        h('button', { type: 'submit', class: 'primary' }, i18n.t(`teams.member.${kind}.save`)),
        h(
          'button',
          { type: 'button', class: 'plain', onclick: () => this.close() },
          i18n.t('teams.member.cancel'),
        ),
      ),
    );
    this.renderEffect();
  }

  private given(): HTMLElement[] {
    const { i18n, old } = this;
    const roles = ROLES.map((role): Option => [role, nameOfRole(role, i18n)]);
    const percent = (name: 'time_share' | 'kpi_share', label: Key): HTMLElement =>
      this.input(name, label, {
        type: 'number',
        min: 0,
        max: 100,
        step: 'any',
        required: true,
        value: Math.round((old?.[name] ?? 0.5) * 10_000) / 100,
      });
    const box = (name: 'acting' | 'backup'): HTMLElement =>
      tick(i18n.t(`teams.member.${name}`), h('input', { type: 'checkbox', name, checked: old?.[name] }));
    return [
      ...(old ? [] : [field('member', i18n.t('teams.person'), select('person', this.people()))]),
      field('member', i18n.t('teams.role'), select('role', roles, old?.role ?? 'member')),
      h(
        'div',
        { class: 'pair' },
        percent('time_share', 'teams.member.time'),
        percent('kpi_share', 'teams.member.kpi'),
      ),
      h('div', { class: 'row' }, box('acting'), box('backup')),
    ];
  }

  /** Those who have not left, by department. */
  private people(): Option[] {
    const { roster } = this.desk;
    const departments = new Map(roster.departments.map(({ id, name }) => [id, name]));
    const names = personNames(roster);
    const now = new Date().toISOString();
    return roster.people
      .filter(({ valid_until }) => valid_until === null || later(valid_until, now))
      .map(({ id, department }): Option => [
        id,
        `${names.get(id) ?? id} (${departments.get(department) ?? department})`,
      ]);
  }

  private date(name: string, label: Key, value: string, required: boolean): HTMLElement {
    return this.input(name, label, { type: 'date', value, required });
  }

  private input(name: string, label: Key, more: Record<string, string | number | boolean>): HTMLElement {
    return field('member', this.i18n.t(label), h('input', { name, ...more }));
  }

  private untilDay(): string {
    const until = this.old?.valid_until;
    return until ? dayOf(new Date(until), this.zone) : '';
  }

  private text(name: string): string {
    return String(new FormData(this.root).get(name) ?? '').trim();
  }

  private when(): When {
    const today = dayOf(new Date(), this.zone);
    return {
      at: startOf(this.text('from') || today, this.zone),
      today: startOf(today, this.zone),
    };
  }

  private wished(): Given {
    const share = (name: string): number => Math.round(Number(this.text(name)) * 100) / 10_000;
    const until = this.text('valid_until');
    return {
      role: this.text('role'),
      time_share: share('time_share'),
      kpi_share: share('kpi_share'),
      acting: this.text('acting') !== '',
      backup: this.text('backup') !== '',
      valid_until: until === '' ? null : this.untilOf(until),
    };
  }

  /** An end which was not touched stays to the second. */
  private untilOf(day: string): string {
    const { old } = this;
    return old?.valid_until && day === this.untilDay() ? old.valid_until : startOf(day, this.zone);
  }

  private person(): string {
    return this.old?.person ?? this.text('person');
  }

  private operations(): Operation[] {
    const { old, team } = this;
    const when = this.when();
    const kind = this.kind();
    if (kind === 'end' && old) return ending(old, when);
    const wished = this.wished();
    const own = old ? changing(old, wished, when) : joining(team, this.person(), wished, when);
    const formerly = (this.text('formerly') || 'leads') as Formerly;
    return [...own, ...succeeding(this.leads(when), formerly, when)];
  }

  /** Those who lead so far, where the form makes somebody else the lead. */
  private leads(when: When): Member[] {
    const becomes = this.kind() !== 'end' && this.text('role') === 'lead' && this.old?.role !== 'lead';
    return becomes ? leadsOf(this.desk.roster, this.team, when.at, this.person()) : [];
  }

  private renderEffect(): void {
    const { desk } = this;
    clearFaults(this.root);
    const when = this.when();
    this.renderFormerly(when);
    const effects = shareEffects(desk.roster, this.person(), when.at, this.operations());
    fill(this.effect, sharesTable(effects, when.at, desk));
  }

  private renderFormerly(when: When): void {
    const { i18n, desk } = this;
    const people = personNames(desk.roster);
    const names = this.leads(when).map(({ person }) => people.get(person) ?? person);
    if (names.length === 0) fill(this.formerly);
    else if (!this.formerly.firstChild) {
      const options = FORMERLY.map((one): Option => [one, i18n.t(`teams.member.formerly.${one}`)]);
      const label = i18n.t('teams.member.formerly', { names: names.join(', ') });
      fill(this.formerly, field('member', label, select('formerly', options)));
    }
  }

  private save(): Promise<void> {
    const { workspace, teams, roster, run, say } = this.desk;
    const when = this.when();
    clearFaults(this.root);
    return run(async () => {
      try {
        await teams.changeRoster(workspace.territory?.id ?? '', {
          base_roster: roster.newest,
          operations: this.operations(),
          // What counts from today counts from now on; what began before is told late, and needs a reason.
          valid_from: later(when.today, when.at) ? when.at : null,
          reason: this.text('reason') || null,
        });
      } catch (error) {
        const from = this.kind() === 'end' ? { valid_until: 'from' } : {};
        const names = { ...FIELDS, valid_from: 'from', ...from };
        if (tellFault(this.root, error, names, this.i18n)) return;
        throw error;
      }
      await workspace.reload();
      say(this.i18n.t('teams.member.saved'));
    });
  }
}
