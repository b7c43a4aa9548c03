/** Teams and people from files: checked first, with a verdict for each row, then taken over as a whole. */
import { fill, h } from '../../dom.ts';
import { field, type Desk, type Dialog } from './parts.ts';

interface Row {
  source: string;
  row: number;
  verdict: 'added' | 'changed' | 'same' | 'refused';
  field: string | null;
  reason: string | null;
  cure: string | null;
}

interface Outcome {
  roster: number | null;
  base_roster: number;
  rows: Record<string, number>;
  refused: Row[];
  verdicts: Row[];
  missing: Record<string, { total: number }>;
}

const VERDICTS = ['added', 'changed', 'same', 'refused'] as const;

export function rosterDialog(desk: Desk, territory: string): Dialog {
  const { i18n, api } = desk.workspace.context;
  const path = `/v1/territories/${encodeURIComponent(territory)}/roster`;
  const files = h('input', {
    type: 'file',
    name: 'files',
    multiple: true,
    required: true,
    accept: '.xlsx,.zip,.csv',
  });
  const missing = h('input', { type: 'checkbox', name: 'missing' });
  const reason = h('input', { type: 'text', name: 'reason', maxlength: 500 });
  const told = h('div', { 'aria-live': 'polite' });
  const send = (dry: boolean, checked: Outcome | null): Promise<void> =>
    desk.run(async () => {
      const body = new FormData();
      for (const file of files.files ?? []) body.append('files', file);
      body.set('dry_run', String(dry));
      body.set('end_missing', String(missing.checked));
      if (reason.value.trim()) body.set('reason', reason.value.trim());
      if (checked) {
        body.set('base_roster', String(checked.base_roster));
        const gone = checked.missing['people']?.total ?? 0;
        if (missing.checked && gone > 0) body.set('confirm_missing', String(gone));
      }
      const outcome = await api.post<Outcome>(`${path}/import`, body);
      fill(
        told,
        outcomeOf(outcome, dry, desk, () => void send(false, outcome)),
      );
      if (!dry) await desk.workspace.reload();
    });
  const form = h(
    'form',
    {
      class: 'form',
      onsubmit: (event: Event) => {
        event.preventDefault();
        fill(told);
        void send(true, null);
      },
      onchange: () => fill(told),
    },
    field(i18n.t('data.file'), files),
    h('label', { class: 'row' }, missing, h('span', {}, i18n.t('data.roster.missing'))),
    field(i18n.t('data.roster.reason'), reason),
    h('div', {}, h('button', { type: 'submit', class: 'primary' }, i18n.t('data.roster.try'))),
  );
  return {
    root: h(
      'div',
      {},
      h('p', { class: 'muted' }, i18n.t('data.roster.help')),
      h(
        'p',
        {},
        h('a', { href: `${path}/export?format=xlsx`, download: true }, i18n.t('data.roster.export')),
      ),
      form,
      told,
    ),
  };
}

function outcomeOf(outcome: Outcome, dry: boolean, desk: Desk, take: () => void): HTMLElement {
  const { i18n, format } = desk.workspace.context;
  const count = (name: string): number => outcome.rows[name] ?? 0;
  const changes =
    count('added') + count('changed') > 0 || Object.values(outcome.missing).some(({ total }) => total);
  const sentence = dry
    ? i18n.t('data.roster.tried')
    : outcome.roster === null
      ? i18n.t('data.roster.same')
      : i18n.t('data.roster.done', { n: outcome.roster });
  const rows = [
    ...outcome.refused,
    ...outcome.verdicts.filter(({ verdict }) => ['added', 'changed'].includes(verdict)),
  ];
  return h(
    'div',
    { class: 'data-told' },
    h('strong', {}, sentence),
    h(
      'p',
      { class: 'row' },
      ...VERDICTS.filter((name) => count(name) > 0).map((name) =>
        h(
          'span',
          { class: name === 'refused' ? 'tag beyond' : 'tag' },
          `${i18n.t(`data.roster.verdict.${name}`)}: ${format.number(count(name))}`,
        ),
      ),
    ),
    rows.length > 0 &&
      h(
        'ul',
        { class: 'data-bad' },
        ...rows.map((row) =>
          h(
            'li',
            { class: row.verdict === 'refused' ? 'beyond' : null },
            h('strong', {}, `${row.source} ${i18n.t('data.row')} ${row.row}`),
            ` ${i18n.t(`data.roster.verdict.${row.verdict}`)}`,
            (row.reason || row.field) && `: ${[row.field, row.reason].filter(Boolean).join(' – ')}`,
            row.cure && h('span', { class: 'second' }, row.cure),
          ),
        ),
      ),
    dry && outcome.refused.length === 0 && changes
      ? h('button', { type: 'button', class: 'primary', onclick: take }, i18n.t('data.roster.do'))
      : dry && !changes && outcome.refused.length === 0 && h('p', {}, i18n.t('data.roster.same')),
  );
}
