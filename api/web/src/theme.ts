/** Colours the map takes from the style sheet's day or night. */
import { DARK, LIGHT, type Scheme } from './colour.ts';

export interface Theme {
  scheme: Scheme;
  ground: string;
  border: string;
  outline: string;
  cell: string;
  accent: string;
  alert: string;
  text: string;
  halo: string;
}

const DAY: Theme = {
  scheme: LIGHT,
  ground: '#f1f3f5',
  border: '#ffffff',
  outline: '#3d4a5a',
  cell: '#2b3a4b',
  accent: '#0b3d91',
  alert: '#c2410c',
  text: '#1c2733',
  halo: '#ffffff',
};

const NIGHT: Theme = {
  scheme: DARK,
  ground: '#12161c',
  border: '#12161c',
  outline: '#aab6c4',
  cell: '#dfe7ef',
  accent: '#ffffff',
  alert: '#ff7a3d',
  text: '#f2f5f8',
  halo: '#12161c',
};

const night = matchMedia('(prefers-color-scheme: dark)');

export function currentTheme(): Theme {
  return night.matches ? NIGHT : DAY;
}

export function onThemeChange(listener: () => void): void {
  night.addEventListener('change', listener);
}
