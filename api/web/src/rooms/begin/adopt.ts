/** Grids there are already: taken over with what is wrong with them, each place to be looked at on the map. */
import type { Polygon } from 'geojson';
import { fill, h } from '../../dom.ts';
import type { Box } from '../../geo.ts';
import type { Workspace } from '../../workspace.ts';
import type { Tiling } from '../plans/solving.ts';
import type { Adoption, Beginning, Spot, Told } from './api.ts';
import type { Step } from './begin.ts';
import { columnsOfFile } from './files.ts';
import { ColumnInput, crsSelect, field, fileInput, form, LAYERS } from './parts.ts';
import type { Sketch } from './sketch.ts';

const LISTED = 50;

export class AdoptStep implements Step {
  private adopted: Adoption | null = null;

  constructor(
    private readonly workspace: Workspace,
    private readonly beginning: Beginning,
    private readonly sketch: Sketch,
    private readonly tiling: () => Tiling | null,
    private readonly work: (work: (told: Told) => Promise<void>) => Promise<void>,
    private readonly done: () => void,
  ) {}

  render(root: HTMLElement): void {
    fill(root, this.adopted ? this.report(this.adopted) : this.form(root));
  }

  private form(root: HTMLElement): HTMLElement {
    const { context } = this.workspace;
    const { i18n } = context;
    const crs = crsSelect(context);
    const grid = new ColumnInput('grid', 'grid');
    const name = h('input', { type: 'text', maxlength: 200 });
    const filled = h('input', { type: 'checkbox', checked: true });
    const file = fileInput(LAYERS, (given) => {
      void columnsOfFile(given).then((columns) => {
        const usual = columns.find((column) => /grid|code|网格/i.test(column));
        if (columns.length > 0) grid.offer(columns, usual ?? columns[0]);
      });
    });
    const send = (): Promise<void> =>
      this.work(async (told) => {
        const [given] = file.files ?? [];
        const tiling = this.tiling();
        if (!given || !tiling) return;
        this.adopted = await this.beginning.adopt(
          {
            tiling: tiling.id,
            file: given,
            grid_field: grid.value,
            crs: crs.value(),
            name: name.value.trim(),
            fill: filled.checked,
          },
          told,
        );
        await this.workspace.showPlan(this.adopted.plan);
        this.render(root);
      });
    return form(
      i18n.t('begin.adopt.make'),
      send,
      field(i18n.t('begin.adopt.file'), file, `${i18n.t('begin.formats')}, CSV, Excel`),
      field(i18n.t('begin.adopt.field'), grid.element),
      field(i18n.t('begin.crs'), crs.element),
      field(i18n.t('begin.adopt.name'), name),
      h('label', { class: 'small' }, filled, ` ${i18n.t('begin.adopt.fill')}`),
    );
  }

  private report({ adoption }: Adoption): HTMLElement {
    const { i18n, format } = this.workspace.context;
    const amounts = (km2: number, customers: number | null): { km2: string; customers: string } => ({
      km2: format.area(km2),
      customers: format.number(customers ?? 0),
    });
    const { gaps, overlaps, apart, minority } = adoption;
    const spot = (each: Spot): HTMLElement =>
      this.place(
        i18n.t('begin.adopt.place', { grids: each.grids.join(' · '), ...amounts(each.km2, each.customers) }),
        each.bbox,
      );
    const clean = gaps.length + overlaps.length + apart.length + adoption.minority_cells === 0;
    return h(
      'div',
      { class: 'stack adopted' },
      h('p', {}, h('strong', {}, i18n.t('begin.adopt.done', { n: adoption.grids.length }))),
      clean && h('p', {}, i18n.t('begin.adopt.clean')),
      this.group(
        i18n.t('begin.adopt.gaps', amounts(adoption.gap_km2, adoption.gap_customers)),
        gaps.map(spot),
      ),
      this.group(
        i18n.t('begin.adopt.overlaps', amounts(adoption.overlap_km2, adoption.overlap_customers)),
        overlaps.map(spot),
      ),
      this.group(i18n.t('begin.adopt.apart', { n: apart.length }), apart.map(spot)),
      this.group(
        i18n.t('begin.adopt.minority', {
          share: format.percent(adoption.majority),
          n: format.number(adoption.minority_cells),
        }),
        minority.map((doubt) =>
          this.place(
            i18n.t('begin.adopt.cell', {
              grid: doubt.grid,
              share: format.percent(doubt.share),
              cell: doubt.cell,
              customers: format.number(doubt.customers ?? 0),
            }),
            around(doubt.lon, doubt.lat),
          ),
        ),
      ),
      adoption.without_cells.length > 0 &&
        h('p', {}, i18n.t('begin.adopt.lost', { codes: adoption.without_cells.join(', ') })),
      h(
        'button',
        { type: 'button', class: 'primary', onclick: () => this.done() },
        i18n.t('begin.adopt.finish'),
      ),
    );
  }

  private group(title: string, places: HTMLElement[]): HTMLElement | false {
    const { i18n } = this.workspace.context;
    if (places.length === 0) return false;
    return h(
      'details',
      {},
      h('summary', {}, title),
      h('ul', { class: 'spots' }, ...places.slice(0, LISTED)),
      places.length > LISTED && h('p', { class: 'muted small' }, i18n.t('begin.adopt.first', { n: LISTED })),
    );
  }

  private place(text: string, box: Box | null): HTMLElement {
    const look = (): void => {
      if (!box) return;
      void this.sketch.show([{ geometry: rectangle(box), strong: true }]);
      this.workspace.stage?.zoomToBox(box);
    };
    return h('li', {}, h('button', { type: 'button', class: 'link', onclick: look }, text));
  }
}

function around(lon: number | undefined, lat: number | undefined): Box | null {
  if (lon === undefined || lat === undefined) return null;
  return [lon - 0.003, lat - 0.003, lon + 0.003, lat + 0.003];
}

function rectangle([west, south, east, north]: Box): Polygon {
  return {
    type: 'Polygon',
    coordinates: [
      [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
      ],
    ],
  };
}
