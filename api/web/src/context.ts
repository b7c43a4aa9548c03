/** What each part of the page needs to speak. */
import type { Api } from './api.ts';
import type { Format } from './format.ts';
import type { I18n } from './i18n.ts';

export interface Context {
  api: Api;
  i18n: I18n;
  format: Format;
}
