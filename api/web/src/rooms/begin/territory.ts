/** The first step: an area to be covered, as a boundary or as the districts it is made of. */
import { h, fill } from '../../dom.ts';
import { boxOf } from '../../geo.ts';
import type { Place } from '../../stage.ts';
import type { Workspace } from '../../workspace.ts';
import type { Beginning, Layer } from './api.ts';
import { columnsOf, districtAt, districtsOf, nameOf, namingColumn, slugOf, type District } from './files.ts';
import { crsSelect, field, fileInput, form, LAYERS } from './parts.ts';
import type { Sketch } from './sketch.ts';
import type { Step } from './begin.ts';

export class TerritoryStep implements Step {
  private layer: Layer | null = null;
  private districts: District[] = [];
  private chosen = new Set<number>();
  private column: string | null = null;
  private readonly list = h('div', {});

  constructor(
    private readonly workspace: Workspace,
    private readonly beginning: Beginning,
    private readonly sketch: Sketch,
    private readonly work: (work: () => Promise<void>) => Promise<void>,
    private readonly done: (territory: string) => Promise<void>,
  ) {}

  render(root: HTMLElement): void {
    const { territory, context } = this.workspace;
    const { i18n } = context;
    fill(
      root,
      territory &&
        h(
          'p',
          { class: 'row' },
          h(
            'button',
            { type: 'button', class: 'primary', onclick: () => void this.done(territory.id) },
            i18n.t('begin.use', { name: territory.name }),
          ),
          h('span', { class: 'muted' }, i18n.t('begin.or')),
        ),
      this.form(),
    );
    this.renderList();
  }

  private form(): HTMLElement {
    const { context } = this.workspace;
    const { i18n } = context;
    const id = h('input', {
      type: 'text',
      required: true,
      pattern: '[a-z0-9][a-z0-9\\-]{0,62}',
      maxlength: 63,
    });
    let own = false;
    id.addEventListener('input', () => (own = true));
    const name = h('input', {
      type: 'text',
      required: true,
      maxlength: 200,
      oninput: () => {
        if (!own) id.value = slugOf(name.value, new Date());
      },
    });
    const zone = h('input', {
      type: 'text',
      required: true,
      value: Intl.DateTimeFormat().resolvedOptions().timeZone,
    });
    const crs = crsSelect(context);
    const file = fileInput(LAYERS, (given) => void this.work(() => this.read(given, crs.value())));
    crs.element.addEventListener('change', () => {
      const [given] = file.files ?? [];
      if (given) void this.work(() => this.read(given, crs.value()));
    });
    const send = (): Promise<void> =>
      this.work(async () => {
        if (!this.layer) return;
        const all = this.chosen.size === this.districts.length;
        const fields = { id: id.value, name: name.value.trim(), time_zone: zone.value.trim() };
        const some = this.districts.filter((_, i) => this.chosen.has(i));
        const made = await this.beginning.territory(fields, all ? { layer: this.layer.id } : some);
        await this.done(made.id);
      });
    return form(
      i18n.t('begin.territory.make'),
      send,
      field(i18n.t('begin.territory.name'), name),
      field(i18n.t('begin.territory.boundary'), file, i18n.t('begin.formats')),
      field(i18n.t('begin.crs'), crs.element),
      this.list,
      h(
        'details',
        {},
        h('summary', {}, i18n.t('begin.more')),
        h(
          'div',
          { class: 'stack' },
          field(i18n.t('begin.territory.id'), id),
          field(i18n.t('begin.territory.zone'), zone),
        ),
      ),
    );
  }

  private async read(file: File, crs: string | null): Promise<void> {
    fill(this.list, h('p', { class: 'muted' }, this.workspace.context.i18n.t('begin.reading')));
    try {
      this.layer = await this.beginning.layer(file, crs);
      this.districts = districtsOf(await this.beginning.features(this.layer.id));
    } catch (error) {
      this.layer = null;
      this.districts = [];
      throw error;
    } finally {
      this.chosen = new Set(this.districts.keys());
      this.column = namingColumn(this.districts);
      this.renderList();
      void this.draw(true);
    }
  }

  pick({ lon, lat }: Place): boolean {
    const i = districtAt(this.districts, lon, lat);
    if (i < 0 || this.districts.length < 2) return false;
    this.choose([i], !this.chosen.has(i));
    return true;
  }

  private choose(which: Iterable<number>, on: boolean): void {
    for (const i of which) {
      if (on) this.chosen.add(i);
      else this.chosen.delete(i);
    }
    this.renderList();
    void this.draw(false);
  }

  private async draw(zoom: boolean): Promise<void> {
    const { stage } = this.workspace;
    if (zoom && this.districts.length > 0) {
      const [west, south, east, north] = boxOf(this.districts.map(({ geometry }) => geometry));
      await stage?.whenReady();
      stage?.map.fitBounds([west, south, east, north], { padding: 48, animate: false });
    }
    await this.sketch.show(
      this.districts.map(({ geometry }, i) => ({ geometry, strong: this.chosen.has(i) })),
    );
  }

  /** The districts to tick, where the file has several. */
  private renderList(): void {
    const { i18n } = this.workspace.context;
    const { districts, chosen } = this;
    if (districts.length < 2) {
      fill(this.list);
      return;
    }
    const by = h('select', {
      onchange: () => {
        this.column = by.value;
        this.renderList();
      },
    });
    for (const column of columnsOf({ features: districts })) {
      by.append(h('option', { value: column, selected: column === this.column }, column));
    }
    const all = (on: boolean, text: string): HTMLElement =>
      h('button', { type: 'button', class: 'plain', onclick: () => this.choose(districts.keys(), on) }, text);
    const scrolled = this.list.querySelector('.districts')?.scrollTop ?? 0;
    const focused = (document.activeElement as HTMLElement | null)?.dataset['district'];
    fill(
      this.list,
      h(
        'fieldset',
        {},
        h('legend', {}, i18n.t('begin.districts', { chosen: chosen.size, all: districts.length })),
        h('p', { class: 'muted small' }, i18n.t('begin.districts.help')),
        h(
          'div',
          { class: 'row' },
          h('label', { class: 'small' }, `${i18n.t('begin.districts.by')} `, by),
          all(true, i18n.t('begin.districts.all')),
          all(false, i18n.t('begin.districts.none')),
        ),
        h(
          'ul',
          { class: 'districts' },
          ...districts.map((district, i) => {
            const tick = h('input', {
              type: 'checkbox',
              'data-district': i,
              checked: chosen.has(i),
              onchange: () => this.choose([i], tick.checked),
            });
            return h('li', {}, h('label', {}, tick, ` ${nameOf(district, this.column) || `${i + 1}`}`));
          }),
        ),
      ),
    );
    const shown = this.list.querySelector('.districts');
    if (shown) shown.scrollTop = scrolled;
    if (focused) this.list.querySelector<HTMLElement>(`[data-district="${focused}"]`)?.focus();
  }
}
