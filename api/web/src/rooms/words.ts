/** The words of all rooms. */
import { words as begin } from './begin/words.ts';
import { words as compare } from './compare/words.ts';
import { words as data } from './data/words.ts';
import { words as paper } from './paper/words.ts';
import { words as plans } from './plans/words.ts';
import { words as publish } from './publish/words.ts';
import { words as redraw } from './redraw/words.ts';
import { words as requests } from './requests/words.ts';
import { words as see } from './see/words.ts';
import { words as teams } from './teams/words.ts';

export const en = {
  ...see.en,
  ...redraw.en,
  ...publish.en,
  ...begin.en,
  ...plans.en,
  ...compare.en,
  ...requests.en,
  ...teams.en,
  ...data.en,
  ...paper.en,
} as const;
export const zh = {
  ...see.zh,
  ...redraw.zh,
  ...publish.zh,
  ...begin.zh,
  ...plans.zh,
  ...compare.zh,
  ...requests.zh,
  ...teams.zh,
  ...data.zh,
  ...paper.zh,
} as const;
