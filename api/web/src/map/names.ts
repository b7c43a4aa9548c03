/** What is written on grids: their codes, and names or teams where there is room. */
import type { Map as MapLibre } from 'maplibre-gl';
import type { Feature } from 'geojson';
import { deepest, teamName, type Board } from '../board.ts';
import type { Colouring } from '../colouring.ts';
import { IMAGE_RATIO, labelImage, type LabelLine } from '../labels.ts';
import { currentTheme } from '../theme.ts';

export class Names {
  /** Pictures are made once for each text: while borders are drawn they stay as they are. */
  private readonly known = new Set<string>();

  constructor(private readonly map: MapLibre) {}

  /** A point for each grid, deep inside it, with the pictures of its short and its long name. */
  featuresOf(board: Board, colouring: Colouring): Feature[] {
    const places = deepest(board.ground, board.labels, board.grids.length);
    return board.grids.flatMap((grid, i): Feature[] => {
      const row = places[i] ?? -1;
      if (row < 0) return [];
      const { code, name } = grid;
      const byTeam = colouring.label === 'team';
      const main = byTeam ? teamName(grid) || code : code;
      const more = byTeam ? code : (name ?? '');
      const short = this.picture([{ text: main, size: 11.5, weight: 600 }]);
      const long = this.picture([
        { text: main, size: 13, weight: 650 },
        ...(more ? [{ text: more, size: 11.5, weight: 450 }] : []),
      ]);
      const properties = { short, long, order: -grid.area_km2 };
      const geometry = { type: 'Point' as const, coordinates: board.ground.finder.middle(row) };
      return [{ type: 'Feature', properties, geometry }];
    });
  }

  clear(): void {
    for (const name of this.known) this.map.removeImage(name);
    this.known.clear();
  }

  private picture(lines: LabelLine[]): string {
    const { text, halo } = currentTheme();
    const name = `label ${text} ${lines.map((line) => `${line.size} ${line.text}`).join(' / ')}`;
    if (!this.known.has(name)) {
      this.map.addImage(name, labelImage(lines, text, halo), { pixelRatio: IMAGE_RATIO });
    }
    this.known.add(name);
    return name;
  }
}
