/** What is on show: one publication of one territory, read once and indexed for all parts of the page. */
import type { Api, CellLayer, GridLayer, GridProperties, Publication, TerritoryDetail } from './api.ts';
import type { Format } from './format.ts';
import { boxOf, neighbours, type Box } from './geo.ts';
import type { I18n } from './i18n.ts';

/** What each part of the page needs to speak. */
export interface Context {
  api: Api;
  i18n: I18n;
  format: Format;
}

export interface View {
  territory: TerritoryDetail;
  publication: Publication;
  grids: GridLayer;
  byCode: ReadonlyMap<string, GridLayer['features'][number]>;
  /** Which grids (by index in `grids.features`) lie next to which. */
  around: Set<number>[];
  measures: string[];
  box: Box;
}

export type Cells = CellLayer['features'];

export function makeView(territory: TerritoryDetail, publication: Publication, grids: GridLayer): View {
  return {
    territory,
    publication,
    grids,
    byCode: new Map(grids.features.map((feature) => [feature.properties.code, feature])),
    around: neighbours(grids.features.map((feature) => feature.geometry)),
    measures: publication.summary.measures.map((measure) => measure.name),
    box: boxOf([territory.boundary]),
  };
}

/** The newest publication of the base line already in force, else the newest to come. */
export function currentPublication(items: readonly Publication[], now: Date): Publication | undefined {
  const base = items.filter((item) => item.line === 'base').sort((a, b) => b.n - a.n);
  return base.find((item) => new Date(item.effective_at) <= now) ?? base[0];
}

export function toleranceOf(view: View, measure: string): number {
  return view.publication.summary.measures.find((item) => item.name === measure)?.tolerance ?? 0.1;
}

/** A team as people know it. */
export function teamName(grid: GridProperties): string {
  return grid.team_name ?? grid.team ?? '';
}
