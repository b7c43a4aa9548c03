/** How the map looks round its cells: its ground, the territory's outline and the names of grids. */
import type { LayerSpecification } from 'maplibre-gl';
import { bytesOf } from '../colouring.ts';
import type { Colours } from '../mesh/layer.ts';
import type { Theme } from '../theme.ts';

/** Holds the place of the cells: what lies under them is put under it, what lies over them stays over it. */
export const ANCHOR: LayerSpecification = {
  id: 'over-cells',
  type: 'background',
  layout: { visibility: 'none' },
};

export function under(theme: Theme): LayerSpecification[] {
  return [{ id: 'ground', type: 'background', paint: { 'background-color': theme.ground } }];
}

export function over(theme: Theme): LayerSpecification[] {
  return [
    {
      id: 'territory',
      type: 'line',
      source: 'territory',
      layout: { 'line-join': 'round' },
      paint: { 'line-color': theme.outline, 'line-width': 1.6 },
    },
    {
      id: 'labels',
      type: 'symbol',
      source: 'labels',
      layout: {
        'icon-image': ['step', ['zoom'], ['get', 'short'], 11, ['get', 'long']],
        'symbol-sort-key': ['get', 'order'],
        'icon-padding': 1,
      },
    },
  ];
}

/** The theme's colours as the mesh wants them: shares of one. */
export function coloursOf(theme: Theme): Colours {
  const parts = (hex: string): [number, number, number] => {
    const [r, g, b] = bytesOf(hex);
    return [r / 255, g / 255, b / 255];
  };
  return {
    border: parts(theme.border),
    cell: parts(theme.cell),
    accent: parts(theme.accent),
    alert: parts(theme.alert),
  };
}
