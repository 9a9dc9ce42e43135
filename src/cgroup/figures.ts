const NEWLINE = 10;
const ZERO = 48;

/** Reads the one number that a file of a control group holds, such as `memory.current`. Null for no text and for "max". */
export function numberOf(text: string | null): number | null {
  return text === null || !/^\d+$/.test(text) ? null : Number(text);
}

/** The same of the first `length` bytes of a buffer, without a text of them. */
export function numberIn(bytes: Uint8Array, length: number): number | null {
  const end = length > 0 && bytes[length - 1] === NEWLINE ? length - 1 : length;
  let number = end > 0 ? 0 : null;
  for (let at = 0; at < end && number !== null; at++) {
    const digit = bytes[at]! - ZERO;
    number = digit >= 0 && digit <= 9 ? number * 10 + digit : null;
  }
  return number;
}

/** Reads the number after a word at the start of a line, as `oom_kill` in `memory.events` has it. */
export function fieldOf(text: string | null, name: string): number | null {
  if (text === null) return null;
  const word = `${name} `;
  const line = text.startsWith(word) ? 0 : text.indexOf(`\n${word}`) + 1;
  if (line === 0 && !text.startsWith(word)) return null;
  const end = text.indexOf('\n', line);
  return numberOf(text.slice(line + word.length, end < 0 ? text.length : end));
}

/** The figure in another unit. */
export function scaled(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor;
}
