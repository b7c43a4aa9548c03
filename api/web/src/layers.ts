/** Exports have one flat row a grid, as GIS programs like them; the page wants a measure's three numbers by name. */
import type { GridLayer, GridProperties } from './api.ts';

type Flat = Record<string, unknown>;

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function gathered<T>(
  row: Flat,
  names: string[],
  suffix: string,
  pick: (value: unknown) => T,
): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, pick(row[name + suffix])]));
}

/** Totals, targets and deviations of one exported grid by measure; a measure is what has a `_target` beside it. */
export function gridProperties(row: Flat): GridProperties {
  const names = Object.keys(row).filter((name) => `${name}_target` in row);
  return {
    ...(row as unknown as GridProperties),
    measures: gathered(row, names, '', (value) => numberOf(value) ?? 0),
    targets: gathered(row, names, '_target', numberOf),
    deviation: gathered(row, names, '_deviation', numberOf),
  };
}

/** The exported layer with its grids' numbers by measure. */
export function gridLayer(exported: GridLayer): GridLayer {
  const features = exported.features.map((feature) => ({
    ...feature,
    properties: gridProperties(feature.properties as unknown as Flat),
  }));
  return { ...exported, features };
}
