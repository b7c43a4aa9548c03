// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Api, ApiError } from '../src/api.ts';
import { Format } from '../src/format.ts';
import { I18n } from '../src/i18n.ts';
import { isUnknown, openBadge, signInNotice, signOut } from '../src/identity.ts';

const i18n = new I18n('en');
const context = { api: new Api(() => 'en'), i18n, format: new Format('en') };

afterEach(() => vi.unstubAllGlobals());

/** A service which answers so, and what it was asked. */
function answering(status: number, body: unknown): { path: string; init: RequestInit }[] {
  const asked: { path: string; init: RequestInit }[] = [];
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    asked.push({ path, init });
    return Promise.resolve(new Response(JSON.stringify(body), { status }));
  });
  return asked;
}

function enter(form: HTMLElement, key: string): void {
  (form.querySelector('input') as HTMLInputElement).value = key;
  form.dispatchEvent(new Event('submit', { cancelable: true }));
}

describe('signing in', () => {
  it('hands the key over and goes on', async () => {
    const asked = answering(200, { actor: 'key:ann', access: 'keys', scopes: [], provider: null });
    const done = vi.fn();
    enter(signInNotice(context, done), ' gsk_1 ');
    await vi.waitFor(() => expect(done).toHaveBeenCalledOnce());
    const told = asked.filter((each) => each.init.method === 'POST');
    expect(told).toHaveLength(1);
    expect(told[0]?.path).toBe('/v1/session');
    expect(told[0]?.init.body).toBe('{"key":"gsk_1"}');
  });

  it('says why a key is not taken, and stays', async () => {
    answering(401, { title: 'Unauthenticated', detail: 'this key is unknown' });
    const done = vi.fn();
    const form = signInNotice(context, done);
    enter(form, 'gsk_2');
    await vi.waitFor(() => expect(form.textContent).toContain('this key is unknown'));
    expect(done).not.toHaveBeenCalled();
    expect(form.textContent).not.toContain('gsk_2');
  });

  it('shows the way to the company where people sign in there, and to nowhere else', async () => {
    answering(200, { access: 'keys', provider: 'https://login.example.com/realms/company' });
    const form = signInNotice(context, vi.fn());
    await vi.waitFor(() =>
      expect(form.querySelector('#company')?.textContent).toBe('Sign in at login.example.com'),
    );
    answering(200, { access: 'keys', provider: null });
    const other = signInNotice(context, vi.fn());
    await new Promise((done) => setTimeout(done, 20));
    expect(other.querySelector('#company')).toBeNull();
  });

  it('is asked for only where nobody is known', () => {
    expect(isUnknown(new ApiError(401, ''))).toBe(true);
    expect(isUnknown(new ApiError(403, ''))).toBe(false);
    expect(isUnknown(new Error('401'))).toBe(false);
  });
});

describe('the header', () => {
  it('says that a service is open', () => {
    const badge = openBadge(i18n);
    expect(badge.textContent).toBe('Open: no sign-in');
    expect(badge.title).toContain('Nobody has to sign in');
  });

  it('names who is at work and lets them go', () => {
    const out = vi.fn();
    const button = signOut({ actor: 'key:ann', access: 'keys', scopes: [] }, i18n, out);
    expect(button.textContent).toBe('Sign out ann');
    button.click();
    expect(out).toHaveBeenCalledOnce();
  });
});
