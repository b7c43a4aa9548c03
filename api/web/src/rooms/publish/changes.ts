/** What changed between two publications, in a few lines, with the whole of it to download. */
import { addressOf, type Publication } from '../../api.ts';
import type { Context } from '../../context.ts';
import { h } from '../../dom.ts';
import type { Publishing } from './api.ts';

const KINDS = ['cell', 'customer'] as const;

export async function changesList(
  publishing: Publishing,
  from: Publication,
  to: number,
  context: Context,
): Promise<HTMLElement> {
  const { i18n } = context;
  const parts = await Promise.all(
    KINDS.map(async (kind) => ({ kind, ...(await publishing.changes(from, from.n, to, kind)) })),
  );
  return h(
    'div',
    {},
    h('h2', {}, i18n.t('publish.changes', { n: from.n })),
    ...parts.map(({ kind, total, items }) => part(kind, total, items, from, to, context)),
  );
}

function part(
  kind: (typeof KINDS)[number],
  total: number,
  items: Record<string, unknown>[],
  from: Publication,
  to: number,
  { i18n, format }: Context,
): HTMLElement {
  const { territory, line } = from;
  const file = addressOf('/v1/changes', { territory, line, from: from.n, to, kind, format: 'csv' });
  const rows = items.map((item) => {
    const what = String(item['id'] ?? item['customer'] ?? '');
    const side = (name: string): string =>
      [item[`${name}_grid`], item[`${name}_team`]].filter(Boolean).join(' / ') || '–';
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, what),
      h('td', {}, side('before')),
      h('td', {}, side('after')),
    );
  });
  return h(
    'details',
    { open: kind === 'cell' },
    h(
      'summary',
      {},
      `${i18n.t(`publish.changes.${kind}`)}: ${i18n.t('publish.changes.total', { n: format.number(total) })} `,
      h('a', { href: file, download: true }, 'CSV'),
    ),
    total === 0
      ? h('p', { class: 'muted' }, i18n.t('publish.changes.none'))
      : h(
          'div',
          { class: 'scroll-x', tabindex: '0' },
          h('table', { class: 'measures' }, h('tbody', {}, ...rows)),
        ),
  );
}
