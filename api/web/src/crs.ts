/**
 * The offsets of the coordinate systems used on Chinese maps, only to put the mark of a question where
 * it belongs. Which cell a point lies in is always the service's answer.
 */
import type { Crs } from './api.ts';

type LonLat = [number, number];

const AXIS = 6378245;
const ECCENTRICITY2 = 0.006693421622965943;
const RADIANS = Math.PI / 180;

function inChina([lon, lat]: LonLat): boolean {
  return lon >= 72.004 && lon <= 137.8347 && lat >= 0.8293 && lat <= 55.8271;
}

/** One family of the waves the shift is made of: amplitude times the sine of a frequency. */
function waves(value: number, terms: ReadonlyArray<readonly [number, number]>): number {
  return terms.reduce(
    (sum, [amplitude, frequency]) => sum + amplitude * Math.sin(value * frequency * Math.PI),
    0,
  );
}

function shift([lon, lat]: LonLat): LonLat {
  const x = lon - 105;
  const y = lat - 35;
  const shared = waves(x, [
    [40 / 3, 6],
    [40 / 3, 2],
  ]);
  const root = Math.sqrt(Math.abs(x));
  const north =
    -100 +
    2 * x +
    3 * y +
    0.2 * y * y +
    0.1 * x * y +
    0.2 * root +
    shared +
    waves(y, [
      [40 / 3, 1],
      [80 / 3, 1 / 3],
      [320 / 3, 1 / 12],
      [640 / 3, 1 / 30],
    ]);
  const east =
    300 +
    x +
    2 * y +
    0.1 * x * x +
    0.1 * x * y +
    0.1 * root +
    shared +
    waves(x, [
      [40 / 3, 1],
      [80 / 3, 1 / 3],
      [100, 1 / 12],
      [200, 1 / 30],
    ]);
  const sine = Math.sin(lat * RADIANS);
  const w2 = 1 - ECCENTRICITY2 * sine * sine;
  const w = Math.sqrt(w2);
  const meridian = (AXIS * (1 - ECCENTRICITY2)) / (w2 * w);
  const parallel = (AXIS / w) * Math.cos(lat * RADIANS);
  return [east / (parallel * RADIANS), north / (meridian * RADIANS)];
}

export function wgs84ToGcj02(point: LonLat): LonLat {
  if (!inChina(point)) return point;
  const [east, north] = shift(point);
  return [point[0] + east, point[1] + north];
}

function gcj02ToWgs84(point: LonLat): LonLat {
  if (!inChina(point)) return point;
  let guess = point;
  // The shift hardly changes over its own length, so each round gains about three digits.
  for (let round = 0; round < 6; round++) {
    const [lon, lat] = wgs84ToGcj02(guess);
    guess = [guess[0] + point[0] - lon, guess[1] + point[1] - lat];
  }
  return guess;
}

function bd09ToGcj02([lon, lat]: LonLat): LonLat {
  const x = lon - 0.0065;
  const y = lat - 0.006;
  const frequency = (Math.PI * 3000) / 180;
  const radius = Math.hypot(x, y) - 0.00002 * Math.sin(y * frequency);
  const angle = Math.atan2(y, x) - 0.000003 * Math.cos(x * frequency);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** Where to draw a point given in `crs`, in WGS-84 degrees. */
export function toWgs84(lon: number, lat: number, crs: Crs): LonLat {
  if (crs === 'gcj02') return gcj02ToWgs84([lon, lat]);
  if (crs === 'bd09') return gcj02ToWgs84(bd09ToGcj02([lon, lat]));
  return [lon, lat];
}
