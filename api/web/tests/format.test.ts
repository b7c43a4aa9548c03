import { describe, expect, it } from 'vitest';
import { barExtent } from '../src/bar.ts';
import { Format } from '../src/format.ts';

const en = new Format('en');
const zh = new Format('zh-CN');

describe('numbers', () => {
  it('stay whole while they are short', () => {
    expect(en.compact(37349)).toBe('37,349');
    expect(en.compact(187_000_000)).toBe('187M');
    expect(zh.compact(1_870_000)).toBe('187万');
  });

  it('show shares off target with their sign', () => {
    expect(en.deviation(0.0312)).toBe('+3.1%');
    expect(en.deviation(-0.0312)).toBe('-3.1%');
    expect(en.deviation(0)).toBe('0.0%');
    expect(en.deviation(null)).toBe('–');
    expect(en.deviation(undefined)).toBe('–');
  });

  it('give areas fewer digits the larger they are', () => {
    expect([3.567, 35.67, 1356.7].map((km2) => en.area(km2))).toEqual(['3.57 km²', '35.7 km²', '1,357 km²']);
  });
});

describe('dates', () => {
  it('are the day in the territory, not in the browser', () => {
    expect(zh.date('2025-02-28T16:30:00Z', 'Asia/Shanghai')).toBe('2025年3月1日');
    expect(en.date('2025-02-28T16:30:00Z', 'Europe/London')).toBe('February 28, 2025');
  });

  it('survive a time zone or an instant nobody knows', () => {
    expect(en.date('2025-03-01T12:00:00Z', 'Mars/Olympus')).toContain('2025');
    expect(en.date('soon', 'UTC')).toBe('soon');
  });
});

describe('deviation bar', () => {
  it('starts at zero in the middle and ends at the edge beyond two tolerances', () => {
    expect(barExtent(0.1, 0.1)).toEqual({ left: 50, width: 25 });
    expect(barExtent(-0.1, 0.1)).toEqual({ left: 25, width: 25 });
    expect(barExtent(9, 0.1)).toEqual({ left: 50, width: 50 });
    expect(barExtent(-9, 0.1)).toEqual({ left: 0, width: 50 });
  });
});
