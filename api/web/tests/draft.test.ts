import { expect, test } from 'vitest';
import { freeName } from '../src/rooms/redraw/draft.ts';

test('a second draft of a day has a name of its own', () => {
  expect(freeName('Draft of 1 May', ['other'])).toBe('Draft of 1 May');
  expect(freeName('Draft of 1 May', ['Draft of 1 May'])).toBe('Draft of 1 May (2)');
  expect(freeName('Draft of 1 May', ['Draft of 1 May (2)', 'Draft of 1 May'])).toBe('Draft of 1 May (3)');
});
