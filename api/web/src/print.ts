/** The map on paper: with its title, legend, scale and date, and a mark across what is not published. */
import { byId, fill, h, withVars } from './dom.ts';
import type { Workspace } from './workspace.ts';
import type { Key } from './i18n.ts';

/** Put the map as it is now on a sheet of its own and open the browser's print window. */
export async function printMap(workspace: Workspace): Promise<void> {
  const { board, stage, context } = workspace;
  if (!board || !stage) return;
  const { i18n, format } = context;
  const { publication, plan } = board.subject;
  const zone = board.territory.time_zone;
  const state = publication
    ? i18n.t('head.publication', { n: publication.n })
    : `${plan.name ?? plan.id} · ${i18n.t(`plan.status.${plan.status}` as Key)}`;
  const picture = h('img', { src: await stage.picture(), alt: i18n.t('map.label') });
  const sheet = h(
    'section',
    { id: 'paper' },
    h('h1', {}, board.territory.name),
    h('p', {}, `${state} · ${i18n.t('print.made', { date: format.date(new Date().toISOString(), zone) })}`),
    h(
      'div',
      { class: 'picture' },
      picture,
      !publication && h('p', { class: 'watermark', 'aria-hidden': 'true' }, i18n.t('print.draft')),
      scale(),
    ),
    legend(),
    board.territory.simulated && h('p', {}, i18n.t('head.simulated')),
  );
  document.body.append(sheet);
  addEventListener('afterprint', () => sheet.remove(), { once: true });
  await picture.decode();
  print();
}

function legend(): HTMLElement {
  const copy = h('div', { class: 'legend' });
  if (!byId('legend').hidden) fill(copy, ...[...byId('legend').children].map((part) => part.cloneNode(true)));
  return copy;
}

/** The map's scale bar as a share of its width, so that it stays right whatever the paper. */
function scale(): HTMLElement | null {
  const bar = document.querySelector<HTMLElement>('.maplibregl-ctrl-scale');
  if (!bar) return null;
  const share = (bar.offsetWidth / byId('map').clientWidth) * 100;
  return withVars(h('p', { class: 'scale' }, bar.textContent), { '--share': `${share}%` });
}
