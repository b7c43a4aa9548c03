/** Lines no grid may cross, from a file; they are drawn on the map at once. */
import { fill, h } from '../../dom.ts';
import type { Workspace } from '../../workspace.ts';
import { Beginning } from '../begin/api.ts';
import type { Sketch } from '../begin/sketch.ts';

export class BarriersField {
  readonly root = h('fieldset', {});
  /** Id of the layer they were uploaded as. */
  layer: string | null = null;
  private count = 0;

  constructor(
    private readonly workspace: Workspace,
    private readonly sketch: Sketch,
    private readonly work: (work: () => Promise<void>) => Promise<void>,
  ) {}

  render(): void {
    const { i18n, format } = this.workspace.context;
    const file = h('input', {
      type: 'file',
      accept: '.geojson,.json,.gpkg,.zip,.fgb,.kml',
      'aria-label': i18n.t('plans.barriers'),
      onchange: () => void this.work(() => this.read(file.files?.[0])),
    });
    const clear = h(
      'button',
      { type: 'button', class: 'plain', onclick: () => void this.work(() => this.read(undefined)) },
      i18n.t('plans.barriers.clear'),
    );
    fill(
      this.root,
      h('legend', {}, i18n.t('plans.barriers')),
      this.layer === null
        ? file
        : h('div', { class: 'row' }, i18n.t('plans.barriers.drawn', { n: format.number(this.count) }), clear),
    );
  }

  private async read(file: File | undefined): Promise<void> {
    this.layer = null;
    this.count = 0;
    if (file) {
      const beginning = new Beginning(this.workspace.context.api);
      const layer = await beginning.layer(file, null);
      const { features } = await beginning.features(layer.id);
      void this.sketch.show(
        features.map(({ geometry }) => ({ geometry, strong: geometry.type !== 'Point' })),
      );
      this.layer = layer.id;
      this.count = features.length;
    } else this.sketch.clear();
    this.render();
  }
}
