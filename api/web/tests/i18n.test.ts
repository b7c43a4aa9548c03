import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { I18n, initialLanguage, type Key, en, zh } from '../src/i18n.ts';

const ROOT = new URL('..', import.meta.url);
const KEYS = Object.keys(en) as Key[];
const HTML = readFileSync(new URL('index.html', ROOT), 'utf8');
const SOURCES = readdirSync(new URL('src', ROOT), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/(^|\/)(words|en|zh)\.ts$/.test(name))
  .map((name) => readFileSync(new URL(`src/${name}`, ROOT), 'utf8'))
  .join('\n');

const places = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();

describe('words', () => {
  it('exist in both languages for every key', () => {
    expect(Object.keys(zh).sort()).toEqual([...KEYS].sort());
    expect(KEYS.filter((key) => !en[key].trim() || !zh[key].trim())).toEqual([]);
  });

  it('are really translated', () => {
    // The switch shows the other language's own name; a ratio reads the same everywhere.
    const foreign = ['nav.switch', 'table.count'];
    const untranslated = KEYS.filter((key) => !foreign.includes(key) && !/\p{Script=Han}/u.test(zh[key]));
    expect(untranslated).toEqual([]);
    expect(KEYS.filter((key) => key !== 'nav.switch' && /\p{Script=Han}/u.test(en[key]))).toEqual([]);
  });

  it('have the same places to fill', () => {
    expect(KEYS.filter((key) => places(en[key]).join() !== places(zh[key]).join())).toEqual([]);
  });

  it('count in English as one says it', () => {
    const t = new I18n('en');
    expect(t.t('redraw.cells', { n: 1 })).toBe('1 cell changes hands');
    expect(t.t('redraw.cells', { n: '1,200' })).toBe('1,200 cells change hands');
    // A number in front of a plural needs the word for one as well.
    const plural = /\{(?:n|m|cells|grids|customers|rows)\} [a-z]+s\b/;
    expect(KEYS.filter((key) => plural.test(en[key]))).toEqual([]);
  });

  it('cover every key the page names', () => {
    const named = [...HTML.matchAll(/data-i18n(?:-label)?="([^"]+)"/g)].map(([, key]) => key);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((key) => !KEYS.includes(key as Key))).toEqual([]);
  });

  it('are all used', () => {
    const prefixes = [...SOURCES.matchAll(/[`']([a-z]+(?:\.[a-z]+)*\.)\$\{/g)].map(
      ([, prefix]) => prefix ?? '',
    );
    const used = (key: string): boolean =>
      SOURCES.includes(`'${key}'`) ||
      HTML.includes(`"${key}"`) ||
      prefixes.some((prefix) => key.startsWith(prefix));
    expect(KEYS.filter((key) => !used(key))).toEqual([]);
  });

  it('leave no sentence in the sources untranslated', () => {
    const page = HTML.replace(/<noscript>.*<\/noscript>/s, '').replace(/<title>.*<\/title>/, '');
    expect(page.replace(/<[^>]*>/g, '').trim()).toBe('');
  });
});

describe('language', () => {
  it('follows the address, then the earlier choice, then the browser', () => {
    expect(initialLanguage('?lang=zh', 'en', ['en-GB'])).toBe('zh');
    expect(initialLanguage('', 'en', ['zh-CN'])).toBe('en');
    expect(initialLanguage('', null, ['fr-FR', 'zh-TW', 'en'])).toBe('zh');
    expect(initialLanguage('', null, ['fr-FR'])).toBe('en');
  });

  it('fills places and leaves unknown ones visible', () => {
    expect(new I18n('en').t('head.publication', { n: 3 })).toBe('Publication 3');
    expect(new I18n('zh').t('head.publication', { n: 3 })).toBe('发布版本 3');
    expect(new I18n('en').t('head.publication')).toBe('Publication {n}');
  });

  it('calls customers what the territory calls them, in the language it is written in', () => {
    const territory = { id: 't', name: 'T', time_zone: 'UTC', customers_word: '用户', simulated: false };
    expect(new I18n('zh').customers(territory)).toBe('用户');
    expect(new I18n('zh').measure('customers', territory)).toBe('用户数');
    expect(new I18n('en').customers(territory)).toBe('Customers');
    expect(new I18n('en').measure('kwh', territory)).toBe('kwh');
  });
});
