/** The page's language: which one, and the words in it. */
import { en as frame } from './locales/en.ts';
import { zh as frameZh } from './locales/zh.ts';
import { en as rooms, zh as roomsZh } from './rooms/words.ts';
import type { Territory } from './api.ts';

/** The frame's words and those of the rooms. */
export const en = { ...frame, ...rooms } as const;
export const zh: Record<Key, string> = { ...frameZh, ...roomsZh };

export type Key = keyof typeof en;
export type Language = 'en' | 'zh';

const STORE = 'gridsvc.language';
const WORDS: Record<Language, Record<Key, string>> = { en, zh };

export const LOCALES: Record<Language, string> = { en: 'en', zh: 'zh-CN' };

/** The language asked for in the address, else the one chosen before, else the browser's. */
export function initialLanguage(search: string, stored: string | null, browser: readonly string[]): Language {
  const wished = [new URLSearchParams(search).get('lang'), stored, ...browser];
  for (const tag of wished) {
    const short = tag?.slice(0, 2).toLowerCase();
    if (short === 'zh' || short === 'en') return short;
  }
  return 'en';
}

export class I18n {
  constructor(public language: Language) {}

  get locale(): string {
    return LOCALES[this.language];
  }

  /** The sentence for a key, its `{places}` filled; `{n:cell|cells}` is the first word where n is 1. */
  t(key: Key, values: Record<string, string | number> = {}): string {
    return WORDS[this.language][key]
      .replace(/\{(\w+):([^|}]*)\|([^}]*)\}/g, (_, name: string, one: string, more: string) =>
        String(values[name]) === '1' ? one : more,
      )
      .replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
  }

  /** The words for a key which may not be there, as for kinds which the service may add; null then. */
  has(key: string): string | null {
    return key in en ? this.t(key as Key) : null;
  }

  /** What the territory calls its customers, where its word is written in the page's language. */
  customers(territory: Territory): string {
    const word = territory.customers_word;
    const chinese = /\p{Script=Han}/u.test(word);
    if (!word || chinese !== (this.language === 'zh')) return this.language === 'zh' ? '客户' : 'Customers';
    return word.charAt(0).toUpperCase() + word.slice(1);
  }

  /** A measure's name: translated where it is one of ours, else as it stands in the data. */
  measure(name: string, territory: Territory): string {
    if (name === 'customers') {
      const word = this.customers(territory);
      return this.language === 'zh' ? `${word}数` : word;
    }
    const key = `measure.${name}`;
    return key in en ? this.t(key as Key) : name;
  }

  /** Fill the elements of the static page which name a key. */
  apply(root: ParentNode): void {
    for (const element of root.querySelectorAll<HTMLElement>('[data-i18n]')) {
      element.textContent = this.t(element.dataset['i18n'] as Key);
    }
    for (const element of root.querySelectorAll<HTMLElement>('[data-i18n-label]')) {
      element.setAttribute('aria-label', this.t(element.dataset['i18nLabel'] as Key));
    }
  }
}

export function storedLanguage(): string | null {
  try {
    return localStorage.getItem(STORE);
  } catch {
    return null;
  }
}

export function storeLanguage(language: Language): void {
  try {
    localStorage.setItem(STORE, language);
  } catch {
    // Storage may be switched off; the choice then lasts as long as the page.
  }
}
