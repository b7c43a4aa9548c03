/** Reading what somebody typed into the 'who owns this?' box. */
import type { Crs, OwnerQuestion } from './api.ts';

export type Kind = OwnerQuestion['kind'];

const NUMBER = String.raw`[+-]?\d+(?:\.\d+)?`;
// Latitude and longitude parted by a comma (also the Chinese ones), a semicolon or blanks.
const POINT = new RegExp(String.raw`^\s*(${NUMBER})(?:\s*[,，、;；]\s*|\s+)(${NUMBER})\s*$`);

export function looksLikePoint(text: string): boolean {
  return POINT.test(text);
}

/** The question meant, or which help to give. Whether the place exists is for the service to say. */
export function readQuestion(
  kind: Kind,
  text: string,
  crs: Crs,
): OwnerQuestion | 'owner.empty' | 'owner.badPoint' {
  const trimmed = text.trim();
  if (!trimmed) return 'owner.empty';
  if (kind !== 'point') return { kind, id: trimmed };
  const match = POINT.exec(trimmed);
  if (!match) return 'owner.badPoint';
  return { kind, lat: Number(match[1]), lon: Number(match[2]), crs };
}
