/** A number, a name's quotes and what stands between values, characters. */
const VALUE_CHARS = 8;

/**
 * About as many characters as a value has as JSON; what must be escaped counts once. Stops where it is over `most`: what is
 * not going to be sent need not be looked at to its end.
 */
export function answerLength(value: unknown, most: number): number {
  if (typeof value === 'string') return VALUE_CHARS + value.length;
  if (typeof value !== 'object' || value === null) return VALUE_CHARS;
  let length = VALUE_CHARS;
  if (Array.isArray(value)) {
    for (const item of value) {
      length += answerLength(item, most - length);
      if (length > most) break;
    }
    return length;
  }
  for (const [name, inner] of Object.entries(value)) {
    length += VALUE_CHARS + name.length + answerLength(inner, most - length);
    if (length > most) break;
  }
  return length;
}
