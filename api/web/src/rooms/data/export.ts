/** Layers as files: what they will hold is shown before they are fetched. */
import { addressOf } from '../../api.ts';
import type { Board } from '../../board.ts';
import { fill, h } from '../../dom.ts';
import { CrsChoice, field, select, type Desk, type Dialog } from './parts.ts';

const LAYERS = ['grids', 'cells', 'teams', 'customers', 'moves'] as const;
const FORMATS = ['gpkg', 'geojson', 'shp', 'xlsx', 'csv', 'kml', 'fgb', 'parquet'] as const;

interface Manifest {
  features: number;
  crs: string;
  clip: string;
  as_of: Record<string, string>;
  roster: number | null;
  simulated: boolean;
  licence: string | null;
  checksum?: string | null;
  columns: Record<string, { kind: string }>;
}

export function exportDialog(desk: Desk, board: Board): Dialog {
  const { i18n } = desk.workspace.context;
  const { publication, plan } = board.subject;
  // Moves are what a draft changes; a publication has none.
  const layers = LAYERS.filter((name) => name !== 'moves' || publication === null);
  const layer = select(
    'layer',
    layers.map((name) => [name, i18n.t(`data.layer.${name}`)]),
  );
  const format = select(
    'format',
    FORMATS.map((name) => [name, i18n.t(`data.format.${name}`)]),
  );
  const crs = new CrsChoice(i18n, 'wgs84');
  const clip = select('clip', [
    ['cells', i18n.t('data.clip.cells')],
    ['territory', i18n.t('data.clip.territory')],
  ]);
  const kml = h('p', { class: 'muted small', hidden: true }, i18n.t('data.kml'));
  const told = h('div', { 'aria-live': 'polite' });
  const path = publication ? `/v1/publications/${publication.n}/export` : `/v1/plans/${plan.id}/export`;
  const query = (): Record<string, string | null> => ({
    territory: publication ? board.territory.id : null,
    line: publication ? publication.line : null,
    layer: layer.value,
    format: format.value,
    crs: format.value === 'kml' ? 'wgs84' : crs.value,
    clip: clip.value,
    bom: format.value === 'csv' ? 'true' : null,
  });
  const form = h(
    'form',
    {
      class: 'form',
      onsubmit: (event: Event) => {
        event.preventDefault();
        const wanted = query();
        void desk.run(async () => {
          const manifest = await desk.workspace.context.api.get<Manifest>(path, {
            ...wanted,
            manifest: true,
          });
          fill(told, manifestOf(manifest, addressOf(path, wanted), desk));
        });
      },
      // What was shown is of another file then.
      onchange: () => {
        fill(told);
        kml.hidden = format.value !== 'kml';
        crs.root.hidden = format.value === 'kml';
      },
    },
    field(i18n.t('data.layer'), layer),
    field(i18n.t('data.format'), format, kml),
    crs.root,
    field(i18n.t('data.clip'), clip),
    h('div', {}, h('button', { type: 'submit', class: 'primary' }, i18n.t('data.look'))),
  );
  const of = publication
    ? i18n.t('data.of.publication', { n: publication.n })
    : i18n.t('data.of.plan', { name: plan.name ?? plan.id });
  return { root: h('div', {}, h('p', { class: 'muted' }, of), form, told) };
}

function manifestOf(manifest: Manifest, href: string, { workspace }: Desk): HTMLElement {
  const { i18n, format } = workspace.context;
  const zone = workspace.territory?.time_zone ?? 'UTC';
  const measured = Object.entries(manifest.as_of ?? {}).map(([name, at]) => {
    const measure = workspace.territory ? i18n.measure(name, workspace.territory) : name;
    return `${measure}: ${format.date(at, zone)}`;
  });
  const facts: [Parameters<typeof i18n.t>[0], string | null | undefined][] = [
    ['data.manifest.features', format.number(manifest.features)],
    ['data.manifest.crs', i18n.has(`data.crs.${manifest.crs}`) ?? manifest.crs],
    ['data.manifest.clip', i18n.has(`data.clip.${manifest.clip}`) ?? manifest.clip],
    ['data.manifest.as_of', measured.join('; ')],
    ['data.manifest.roster', manifest.roster === null ? null : String(manifest.roster)],
    ['data.manifest.simulated', i18n.t(manifest.simulated ? 'data.yes' : 'data.no')],
    ['data.manifest.licence', manifest.licence],
    ['data.manifest.checksum', manifest.checksum],
    ['data.manifest.columns', Object.keys(manifest.columns).join(', ')],
  ];
  return h(
    'div',
    { class: 'data-told' },
    h('h3', {}, i18n.t('data.manifest')),
    h(
      'dl',
      {},
      ...facts
        .filter(([, value]) => value)
        .flatMap(([key, value]) => [h('dt', {}, i18n.t(key)), h('dd', {}, value)]),
    ),
    h('a', { class: 'primary data-download', href, download: true }, i18n.t('data.download')),
  );
}
