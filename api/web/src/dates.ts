/** Days of a territory: when they begin there, and on which of them a moment lies. */

/** The day of a moment where the territory is, as a date input has it: 2026-12-01. */
export function dayOf(instant: Date, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(instant);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}

/** The moment at which a day begins there, in UTC. */
export function startOf(day: string, zone: string): string {
  const utc = Date.parse(`${day}T00:00:00Z`);
  // Twice, for the zone's offset at the first guess may be that of the other side of a change of clocks.
  const guess = utc - offset(new Date(utc), zone);
  return new Date(utc - offset(new Date(guess), zone)).toISOString();
}

/** By how many milliseconds clocks there are ahead of UTC. */
function offset(instant: Date, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(instant);
  const at = (type: string): number => Number(parts.find((one) => one.type === type)?.value);
  const there = Date.UTC(at('year'), at('month') - 1, at('day'), at('hour'), at('minute'), at('second'));
  return there - Math.floor(instant.getTime() / 1000) * 1000;
}
