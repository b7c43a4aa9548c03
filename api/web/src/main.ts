import { Api } from './api.ts';
import { App, makeContext } from './app.ts';
import { I18n, initialLanguage, storedLanguage } from './i18n.ts';

const i18n = new I18n(initialLanguage(location.search, storedLanguage(), navigator.languages));
const app = new App(makeContext(new Api(() => i18n.locale), i18n));
void app.start(new URLSearchParams(location.search).get('territory'));
