/** CSV as the service writes it, and the header of files which people choose. */

/** Rows of fields; quotes may hold commas, line breaks and doubled quotes. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  const source = text.replace(/^\uFEFF/, '');
  for (let i = 0; i < source.length; i++) {
    const letter = source[i] ?? '';
    if (quoted) {
      if (letter !== '"') field += letter;
      else if (source[i + 1] === '"') field += source[++i] ?? '';
      else quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === ',') {
      row.push(field);
      field = '';
    } else if (letter === '\n' || letter === '\r') {
      if (letter === '\r' && source[i + 1] === '\n') i++;
      rows.push([...row, field]);
      [row, field] = [[], ''];
    } else field += letter;
  }
  if (field !== '' || row.length > 0) rows.push([...row, field]);
  return rows;
}

/** Columns of a CSV file, by its first line; none of other formats, which only the service reads. */
export async function columnsOf(file: File): Promise<string[]> {
  if (!/\.(csv|txt)$/i.test(file.name)) return [];
  const bytes = await file.slice(0, 1 << 16).arrayBuffer();
  const text = decode(new Uint8Array(bytes));
  return (parseCsv(text)[0] ?? []).map((name) => name.trim()).filter(Boolean);
}

function decode(bytes: Uint8Array): string {
  try {
    // A letter may be cut in two at the end of the piece which was read.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}
