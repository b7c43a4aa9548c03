/** The roles there are, in the order in which members stand in a team, and what they are called. */
import type { I18n } from '../../i18n.ts';

export const ROLES: readonly string[] = ['lead', 'enterprise', 'vip', 'maintenance', 'member'];

export function nameOfRole(role: string, i18n: I18n): string {
  return i18n.has(`teams.role.${role}`) ?? role;
}
