// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { fill, h } from '../src/dom.ts';

describe('filling an element', () => {
  it('leaves what stays where it is, and the focus with it', () => {
    const input = h('input', {});
    const root = h('div', {}, 'before', input);
    document.body.append(root);
    input.focus();
    const told: MutationRecord[] = [];
    const watcher = new MutationObserver((records) => told.push(...records));
    watcher.observe(root, { childList: true });
    fill(root, h('h2', {}, 'title'), input, 'after');
    told.push(...watcher.takeRecords());
    expect(document.activeElement).toBe(input);
    expect(told.some((record) => [...record.removedNodes].includes(input))).toBe(false);
    expect(root.innerHTML).toBe('<h2>title</h2><input>after');
  });

  it('puts what is there in another order, and takes out what is not wanted', () => {
    const [a, b, c] = [h('a', {}), h('b', {}), h('i', {})];
    const root = h('div', {}, a, b, c);
    fill(root, c, null, b, false, 'x');
    expect(root.innerHTML).toBe('<i></i><b></b>x');
    fill(root);
    expect(root.childNodes.length).toBe(0);
  });
});
