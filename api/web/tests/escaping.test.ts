// @vitest-environment happy-dom
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Api, ApiError, type OwnerAnswer } from '../src/api.ts';
import { describeAnswer, describeError, describeOwner } from '../src/answer.ts';
import { h } from '../src/dom.ts';
import { Format } from '../src/format.ts';
import { I18n } from '../src/i18n.ts';
import { emptyNotice } from '../src/notice.ts';

const NASTY = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
const i18n = new I18n('en');
const context = { api: new Api(() => 'en'), i18n, format: new Format('en') };

const ANSWER: OwnerAnswer = {
  status: 'owned',
  cell: NASTY,
  grid: { code: NASTY, name: NASTY, line: 'base' },
  team: { id: '1', name: NASTY },
  lead: { id: '1', name: NASTY, acting: true },
  rule: 'cell',
  why: NASTY,
  publication: 1,
  roster: 1,
  valid_from: null,
  valid_to: null,
};

function expectInert(element: HTMLElement): void {
  expect(element.querySelector('img, script')).toBeNull();
  expect(element.textContent).toContain(NASTY);
}

describe('data in the page', () => {
  it('stays text, whatever it contains', () => {
    expectInert(h('p', { title: NASTY }, NASTY));
    expectInert(describeAnswer(ANSWER, context));
    expectInert(describeOwner(ANSWER, context));
    expectInert(describeError(new ApiError(422, NASTY, NASTY, NASTY), context));
    expectInert(emptyNotice(i18n, NASTY));
  });

  it('never goes through a door which reads markup or code', () => {
    const folder = join(import.meta.dirname, '../src');
    const doors =
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setHTML|srcdoc|cssText/;
    const open = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .filter((name) => doors.test(readFileSync(join(folder, name), 'utf8')));
    expect(open).toEqual([]);
  });
});

describe('errors in words', () => {
  it('say title, detail and cure of a problem', () => {
    const text = describeError(
      new ApiError(422, 'Bad point', 'Latitude 91', 'Swap them'),
      context,
    ).textContent;
    expect(text).toBe('Bad pointLatitude 91What to do: Swap them');
  });

  it('say that the service cannot be reached', () => {
    expect(describeError(new ApiError(0, ''), context).textContent).toContain('cannot be reached');
  });
});
