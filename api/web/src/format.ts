/** Numbers and dates as people write them in the page's language. */

export class Format {
  private readonly whole: Intl.NumberFormat;
  private readonly short: Intl.NumberFormat;
  private readonly share: Intl.NumberFormat;
  private readonly signed: Intl.NumberFormat;

  constructor(private readonly locale: string) {
    this.whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
    this.short = new Intl.NumberFormat(locale, { notation: 'compact', maximumSignificantDigits: 3 });
    this.share = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 2 });
    this.signed = new Intl.NumberFormat(locale, {
      style: 'percent',
      maximumFractionDigits: 1,
      minimumFractionDigits: 1,
      signDisplay: 'exceptZero',
    });
  }

  /** 37349 as 37,349. */
  number(value: number): string {
    return this.whole.format(value);
  }

  /** At most about six characters: whole below 100,000, then 1.87M or 187万. */
  compact(value: number): string {
    return Math.abs(value) < 100_000 ? this.whole.format(value) : this.short.format(value);
  }

  area(km2: number): string {
    const digits = km2 < 10 ? 2 : km2 < 100 ? 1 : 0;
    return `${new Intl.NumberFormat(this.locale, { maximumFractionDigits: digits }).format(km2)} km²`;
  }

  percent(share: number): string {
    return this.share.format(share);
  }

  /** A share off target with its sign; a dash where there is no target. */
  deviation(share: number | null | undefined): string {
    return share == null ? '–' : this.signed.format(share);
  }

  /** The calendar day of an instant in the territory's time zone. */
  date(instant: string, timeZone: string): string {
    const when = new Date(instant);
    if (Number.isNaN(when.getTime())) return instant;
    const options: Intl.DateTimeFormatOptions = { dateStyle: 'long' };
    try {
      return new Intl.DateTimeFormat(this.locale, { ...options, timeZone }).format(when);
    } catch (error) {
      // A time zone this browser does not know: the day in its own zone beats no day.
      if (error instanceof RangeError) return new Intl.DateTimeFormat(this.locale, options).format(when);
      throw error;
    }
  }
}
