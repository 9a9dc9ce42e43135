/** Characters counted for a number, for a name's quotes and for separators. */
const VALUE_CHARS = 8;

/**
 * Approximate length of a value as JSON, characters; escapes are not counted. Stops once it is over `most`: a
 * value that is not going to be sent need not be walked to its end.
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
