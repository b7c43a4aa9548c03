/** Words of this room in both languages. */
export const words = {
  en: { 'room.see': 'See' },
  zh: { 'room.see': '查看' },
} as const;
