/** Who is at work: signing in with a key, and what the header says of it. */
import { ApiError } from './api.ts';
import { describeError } from './answer.ts';
import type { Context } from './context.ts';
import { fill, h } from './dom.ts';
import type { I18n } from './i18n.ts';

/** Who asks, as `GET /v1/me` tells. */
export interface Me {
  actor: string;
  /** `open`: nobody has to sign in. */
  access: 'open' | 'keys';
  scopes: string[];
}

/** Whether the service does not know who asks. */
export function isUnknown(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** Asks for a key. The browser keeps it in a cookie which this page cannot read. */
export function signInNotice(context: Context, done: () => void): HTMLElement {
  const { api, i18n } = context;
  const fault = h('div', {});
  const input = h('input', {
    id: 'key',
    type: 'password',
    required: true,
    autocomplete: 'current-password',
    spellcheck: 'false',
  });
  const enter = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await api.signIn(input.value.trim());
    } catch (error) {
      fill(fault, describeError(error, context));
      return;
    }
    done();
  };
  const provider = h('div', {});
  api.howToSignIn().then(
    (how) => {
      if (how.provider !== null) fill(provider, companyDoor(new URL(how.provider).host, i18n));
    },
    () => undefined, // a key opens the page without it
  );
  return h(
    'form',
    { class: 'state form', onsubmit: (event) => void enter(event) },
    h('h2', {}, i18n.t('identity.title')),
    provider,
    h('p', {}, i18n.t('identity.text')),
    h('div', { class: 'field' }, h('label', { for: 'key' }, i18n.t('identity.key')), input),
    fault,
    h('p', {}, h('button', { type: 'submit', class: 'primary' }, i18n.t('identity.enter'))),
  );
}

/** Leads to the company's provider; the browser comes back signed in. */
function companyDoor(host: string, i18n: I18n): HTMLElement {
  const leave = (): void => location.assign('/v1/session/begin');
  const label = i18n.t('identity.company', { host });
  return h('p', {}, h('button', { id: 'company', type: 'button', class: 'primary', onclick: leave }, label));
}

/** Says that nobody has to sign in. */
export function openBadge(i18n: I18n): HTMLElement {
  return h('span', { class: 'badge', title: i18n.t('identity.open.text') }, i18n.t('identity.open'));
}

/** Says who is at work, and ends that. */
export function signOut(me: Me, i18n: I18n, leave: () => void): HTMLElement {
  const text = i18n.t('identity.out', { name: me.actor.replace(/^(key|user):/, '') });
  const onclick = (): void => leave();
  return h('button', { id: 'sign-out', type: 'button', class: 'quiet', title: text, onclick }, text);
}
