/** Rows of an import which need a human, as points on the map. */
import type { GeoJSONSource } from 'maplibre-gl';
import type { Box } from '../../geo.ts';
import { currentTheme } from '../../theme.ts';
import type { Workspace } from '../../workspace.ts';
import { boxAround, type BadRow } from './rows.ts';

const NAME = 'bad-rows';

export class BadPlaces {
  constructor(private readonly workspace: Workspace) {}

  async show(rows: readonly BadRow[]): Promise<void> {
    const { stage } = this.workspace;
    if (!stage) return;
    await stage.whenReady();
    const points = rows.flatMap(({ at }) => (at ? [at] : []));
    const data = {
      type: 'FeatureCollection' as const,
      features: points.map((coordinates) => ({
        type: 'Feature' as const,
        properties: {},
        geometry: { type: 'Point' as const, coordinates },
      })),
    };
    const source = stage.map.getSource<GeoJSONSource>(NAME);
    if (source) source.setData(data);
    else this.add(data);
    const box = boxAround(points);
    const ground = this.workspace.board?.ground.box;
    // Both what is bad and where it should have been come into sight.
    if (box) stage.zoomToBox(ground ? union(box, ground) : box);
  }

  goTo({ at }: BadRow): void {
    if (!at) return;
    this.workspace.stage?.goTo(at);
    void this.workspace.stage?.pinAt(at);
  }

  stop(): void {
    const { stage } = this.workspace;
    if (!stage) return;
    if (stage.map.getLayer(NAME)) stage.map.removeLayer(NAME);
    if (stage.map.getSource(NAME)) stage.map.removeSource(NAME);
    void stage.pinAt(null);
  }

  private add(data: Parameters<GeoJSONSource['setData']>[0]): void {
    const map = this.workspace.stage?.map;
    const theme = currentTheme();
    map?.addSource(NAME, { type: 'geojson', data });
    map?.addLayer({
      id: NAME,
      type: 'circle',
      source: NAME,
      paint: {
        'circle-radius': 5,
        'circle-color': theme.alert,
        'circle-stroke-color': theme.halo,
        'circle-stroke-width': 1.5,
      },
    });
  }
}

function union(a: Box, b: Box): Box {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
}
