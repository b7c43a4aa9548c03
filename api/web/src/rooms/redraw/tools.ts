/** Ways to choose cells on the map: by click, with a brush, along a loop or by a polygon. */
import type { Map as MapLibre } from 'maplibre-gl';
import type { Position } from 'geojson';
import type { Finder } from '../../mesh/finder.ts';
import type { Place, Tool } from '../../stage.ts';

export const TOOLS = ['click', 'brush', 'lasso', 'polygon'] as const;
export type ToolName = (typeof TOOLS)[number];

export interface Strokes {
  finder(): Finder | null;
  /** Width of the brush in pixels. */
  size(): number;
  /** Cells were touched; a stroke may come in several parts until `end`. */
  touch(rows: number[], alt: boolean): void;
  end(): void;
}

/** Rows whose middles lie within `radius` pixels of a place, and always the cell under the pointer. */
export function within(finder: Finder, map: MapLibre, place: Place, radius: number): number[] {
  const centre = map.project([place.lon, place.lat]);
  const west = map.unproject([centre.x - radius, centre.y + radius]);
  const east = map.unproject([centre.x + radius, centre.y - radius]);
  const rows = finder.near([west.lng, west.lat, east.lng, east.lat]).filter((row) => {
    const { x, y } = map.project(finder.middle(row));
    return Math.hypot(x - centre.x, y - centre.y) <= radius;
  });
  return place.row < 0 || rows.includes(place.row) ? rows : [...rows, place.row];
}

export function clickTool(strokes: Strokes): Tool {
  let start: Place | null = null;
  return {
    cursor: 'cell',
    down: (place) => {
      start = place;
      return false;
    },
    up: (place, event) => {
      // A drag moves the map; only a click on the spot chooses.
      if (start && start.row === place.row && place.row >= 0) {
        strokes.touch([place.row], event.originalEvent.altKey);
        strokes.end();
      }
      start = null;
    },
  };
}

export function brushTool(strokes: Strokes): Tool {
  let last: Place | null = null;
  let map: MapLibre | null = null;
  const dab = (place: Place, alt: boolean): void => {
    const finder = strokes.finder();
    if (!finder || !map) return;
    const rows = new Set<number>();
    // Between two events the pointer may jump: the way between is painted too.
    const [from, to] = [map.project(last ?? place), map.project(place)];
    const steps = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / (strokes.size() / 2)));
    for (let i = 1; i <= steps; i++) {
      const at = map.unproject([
        from.x + ((to.x - from.x) * i) / steps,
        from.y + ((to.y - from.y) * i) / steps,
      ]);
      const there = { lon: at.lng, lat: at.lat, row: finder.at(at.lng, at.lat) };
      for (const row of within(finder, map, there, strokes.size() / 2)) rows.add(row);
    }
    last = place;
    strokes.touch([...rows], alt);
  };
  return {
    cursor: 'crosshair',
    start: (shown) => {
      map = shown;
    },
    down: (place, event) => {
      if (event.originalEvent.button !== 0) return false;
      last = place;
      dab(place, event.originalEvent.altKey);
      return true;
    },
    move: (place, event) => {
      if (last) dab(place, event.originalEvent.altKey);
    },
    up: () => {
      if (last) strokes.end();
      last = null;
    },
  };
}

/** A loop drawn by hand, or corner by corner, with terra-draw; loaded when first used. */
export function shapeTool(strokes: Strokes, mode: 'lasso' | 'polygon', colour: string): Tool {
  let stop: (() => void) | null = null;
  let gone = false;
  return {
    cursor: 'crosshair',
    start: (map) => {
      void begin(map, mode, colour, (ring, alt) => {
        const finder = strokes.finder();
        if (!finder) return;
        strokes.touch(finder.inside(ring), alt);
        strokes.end();
      }).then((end) => {
        if (gone) end();
        else stop = end;
      });
    },
    stop: () => {
      gone = true;
      stop?.();
    },
  };
}

async function begin(
  map: MapLibre,
  mode: 'lasso' | 'polygon',
  colour: `#${string}` | string,
  done: (ring: Position[], alt: boolean) => void,
): Promise<() => void> {
  const [{ TerraDraw, TerraDrawFreehandMode, TerraDrawPolygonMode }, { TerraDrawMapLibreGLAdapter }] =
    await Promise.all([import('terra-draw'), import('terra-draw-maplibre-gl-adapter')]);
  const styles = {
    fillColor: colour as `#${string}`,
    fillOpacity: 0.15,
    outlineColor: colour as `#${string}`,
    outlineWidth: 2,
  };
  const draw = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map }),
    modes: [
      mode === 'lasso'
        ? new TerraDrawFreehandMode({ styles, drawInteraction: 'click-drag', minDistance: 6 })
        : new TerraDrawPolygonMode({ styles }),
    ],
  });
  let alt = false;
  const watch = (event: MouseEvent | KeyboardEvent): void => {
    alt = event.altKey;
  };
  addEventListener('pointerup', watch, true);
  draw.start();
  draw.setMode(mode === 'lasso' ? 'freehand' : 'polygon');
  draw.on('finish', (id) => {
    const feature = draw.getSnapshotFeature(id);
    if (feature?.geometry.type === 'Polygon') done(feature.geometry.coordinates[0] ?? [], alt);
    draw.removeFeatures([id]);
  });
  return () => {
    removeEventListener('pointerup', watch, true);
    draw.stop();
  };
}
