/** What jobs say of themselves, in the page's language. */
import type { I18n, Key } from '../../i18n.ts';

/** Sentences the service writes; `{}` stands for a number. */
const KNOWN: Readonly<Record<string, Key>> = {
  'cutting the territory': 'job.cutting',
  'moving borders': 'job.moving',
  'cutting pairs of grids anew': 'job.pairs',
  'plan checked': 'job.checked',
  'plans checked': 'job.checked',
  'cutting along lines': 'job.lines',
  'finding the cells': 'job.cells',
  'drawing {} cells': 'job.drawing',
  'finding neighbours': 'job.neighbours',
  'finding their neighbours': 'job.neighbours',
  'finding shared borders': 'job.neighbours',
  'measuring {} polygons': 'job.measuring',
  'laying {} polygons over {} cells': 'job.laying',
  'reading the file': 'job.reading',
  'placing {} customers': 'job.placing',
  'adding up measures': 'job.adding',
  'saving customers': 'job.saving',
  'reading the grids': 'job.grids',
  'looking for gaps and overlaps': 'job.looking',
  'saving the plan': 'job.plan',
  done: 'job.done',
};

const NUMBER = /\d[\d,]*(?:\.\d+)?/g;

const WORST = /, worst deviation ([\d.]+) %$/;

/** A message in words of the page; as it came where it is not known. Deviations are shown apart. */
export function messageOf(told: string, i18n: I18n): string {
  const message = told.replace(WORST, '');
  const key = KNOWN[message.replace(NUMBER, '{}')];
  if (key === undefined) return message;
  const [n = '', m = ''] = message.match(NUMBER) ?? [];
  return i18n.t(key, { n, m });
}

/** The worst deviation a job tells of, as a share; null where it tells none. */
export function worstIn(message: string): number | null {
  const found = WORST.exec(message);
  return found ? Number(found[1]) / 100 : null;
}
