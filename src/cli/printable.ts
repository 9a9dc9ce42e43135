/** Control characters of both sets, and what changes the direction of text or can't be seen. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Text of the server, such as a name that somebody gave, as a terminal may be shown it: nothing in it moves the cursor or hides. */
export function printable(text: string): string {
  return text.replace(UNSEEN, char => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}

/** The same of text that has lines. */
export const printableLines = (text: string) => text.split(/\r?\n/).map(printable).join('\n');

/** JSON, which a terminal may be shown as well: it leaves control characters of the second set as they are. */
export function jsonOf(value: unknown, indent?: number): string {
  const spelled = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value ?? null, null, indent).replace(/[\x7f-\x9f]/g, spelled);
}

/** Rows in columns as wide as they must be, the first of which is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const shown = rows.map(row => row.map(printable));
  const widths = (shown[0] ?? []).map((_, at) => Math.max(...shown.map(row => row[at]!.length)));
  return shown
    .map(row =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
