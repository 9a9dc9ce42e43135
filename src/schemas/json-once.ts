const written = new WeakMap<object, string>();

/** JSON of a value that does not change any more and is stored as well as answered: a large one takes milliseconds to write. */
export function jsonOnce(value: object): string {
  const known = written.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value);
  written.set(value, text);
  return text;
}

/** JSON of a value, which may have been written. */
export function jsonOf(value: unknown): string {
  return (typeof value === 'object' && value !== null && written.get(value)) || JSON.stringify(value);
}
