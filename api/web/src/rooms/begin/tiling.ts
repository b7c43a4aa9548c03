/** The second step: what the territory is cut into. */
import { fill, h } from '../../dom.ts';
import type { Workspace } from '../../workspace.ts';
import { Solving, type Tiling } from '../plans/solving.ts';
import type { Beginning, Told } from './api.ts';
import type { Step } from './begin.ts';
import { columnsOfFile, listOf } from './files.ts';
import { ColumnInput, crsSelect, field, fileInput, form, LAYERS } from './parts.ts';

const KINDS = ['h3', 'polygons', 'blocks'] as const;
type Kind = (typeof KINDS)[number];

/** Square kilometres of a hexagon of each resolution on offer. */
const SIZES: Readonly<Record<number, number>> = { 7: 5.161, 8: 0.737, 9: 0.105, 10: 0.015 };

export class TilingStep implements Step {
  private kind: Kind = 'h3';
  private root: HTMLElement | null = null;

  constructor(
    private readonly workspace: Workspace,
    private readonly beginning: Beginning,
    private readonly work: (work: (told: Told) => Promise<void>) => Promise<void>,
    private readonly done: (tiling: Tiling) => void,
  ) {}

  render(root: HTMLElement): void {
    this.root = root;
    const { context, territory } = this.workspace;
    const { i18n } = context;
    const known = h('div', { class: 'stack' });
    const kinds = KINDS.map((kind) =>
      h(
        'label',
        { class: 'segment' },
        h('input', {
          type: 'radio',
          name: 'tiling-kind',
          checked: kind === this.kind,
          onchange: () => {
            this.kind = kind;
            this.render(root);
            root.querySelector<HTMLElement>('.segments input:checked')?.focus();
          },
        }),
        h('span', {}, i18n.t(`begin.tiling.${kind}`)),
      ),
    );
    fill(
      root,
      known,
      h('p', { id: 'tiling-kinds' }, i18n.t('begin.tiling.kind')),
      h('div', { class: 'segments', role: 'radiogroup', 'aria-labelledby': 'tiling-kinds' }, ...kinds),
      this.kind === 'h3' ? this.hexagons() : this.kind === 'polygons' ? this.polygons() : this.blocks(),
    );
    if (territory) void this.offer(known, territory.id);
  }

  /** Tilings which are there already. */
  private async offer(root: HTMLElement, territory: string): Promise<void> {
    const { i18n } = this.workspace.context;
    await this.work(async () => {
      const tilings = await new Solving(this.workspace.context.api).tilings(territory);
      if (this.root?.contains(root) !== true || tilings.length === 0) return;
      fill(
        root,
        ...tilings.map((tiling) =>
          h(
            'button',
            { type: 'button', class: 'plain', onclick: () => this.done(tiling) },
            i18n.t('begin.use', { name: tilingWords(tiling, this.workspace) }),
          ),
        ),
        h('span', { class: 'muted' }, i18n.t('begin.or')),
      );
    });
  }

  private hexagons(): HTMLElement {
    const { i18n, format } = this.workspace.context;
    const size = h('select', {}, h('option', { value: 'auto' }, i18n.t('begin.tiling.auto')));
    for (const [n, km2] of Object.entries(SIZES)) {
      const words = i18n.t('begin.tiling.fine', { n, size: format.area(km2) });
      size.append(h('option', { value: n }, words));
    }
    const grids = h('input', { type: 'number', min: 1, max: 20000, value: 30 });
    const meant = field(i18n.t('begin.tiling.grids'), grids);
    size.addEventListener('change', () => {
      meant.hidden = size.value !== 'auto';
    });
    return this.form(
      () =>
        size.value === 'auto'
          ? { kind: 'h3', resolution: 'auto', for_grids: Number(grids.value) }
          : { kind: 'h3', resolution: Number(size.value) },
      field(i18n.t('begin.tiling.size'), size),
      meant,
    );
  }

  private polygons(): HTMLElement {
    const { i18n } = this.workspace.context;
    const crs = crsSelect(this.workspace.context);
    const id = new ColumnInput('polygon-id');
    const measures = h('input', { type: 'text', placeholder: i18n.t('begin.customers.sum.help') });
    const file = fileInput(LAYERS, (given) => {
      void columnsOfFile(given).then((columns) => id.offer(columns, columns[0]));
    });
    return this.form(
      async () => ({
        kind: 'polygons',
        polygons: { layer: await this.layerOf(file, crs.value()) },
        id_field: id.value,
        measures: listOf(measures.value),
      }),
      field(i18n.t('begin.file'), file, i18n.t('begin.formats')),
      field(i18n.t('begin.crs'), crs.element),
      field(i18n.t('begin.tiling.id'), id.element),
      field(i18n.t('begin.tiling.measures'), measures),
    );
  }

  private blocks(): HTMLElement {
    const { i18n } = this.workspace.context;
    const crs = crsSelect(this.workspace.context);
    const file = fileInput(LAYERS, () => undefined);
    return this.form(
      async () => ({ kind: 'blocks', lines: { layer: await this.layerOf(file, crs.value()) } }),
      field(i18n.t('begin.tiling.lines'), file, i18n.t('begin.formats')),
      field(i18n.t('begin.crs'), crs.element),
    );
  }

  private async layerOf({ files }: HTMLInputElement, crs: string | null): Promise<string> {
    const [file] = files ?? [];
    return file ? (await this.beginning.layer(file, crs)).id : '';
  }

  private form(
    body: () => Record<string, unknown> | Promise<Record<string, unknown>>,
    ...children: HTMLElement[]
  ): HTMLElement {
    const { territory, context } = this.workspace;
    const send = (): Promise<void> =>
      this.work(async (told) => {
        if (territory) this.done(await this.beginning.tiling(territory.id, await body(), told));
      });
    return form(context.i18n.t('begin.tiling.make'), send, ...children);
  }
}

export function tilingWords({ cells, kind, resolution }: Tiling, { context }: Workspace): string {
  const { i18n, format } = context;
  const what = i18n.has(`tiling.${kind}`) ?? kind;
  return i18n.t('begin.tiling.of', {
    n: format.number(cells),
    kind: resolution === null ? what : `${what} ${resolution}`,
  });
}
