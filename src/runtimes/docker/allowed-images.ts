/** Whether an image's name, with or without `:latest`, matches a pattern; `*` matches any part. */
export function allows(patterns: readonly string[], image: string): boolean {
  const names = image.endsWith(':latest') ? [image, image.slice(0, -':latest'.length)] : [image];
  return patterns.some(pattern => names.some(name => matches(pattern, name)));
}

/** Whether an image was named by part of its identifier. Patterns allow names only. */
export function isIdentifier(image: string, imageId: string): boolean {
  const digits = image.replace(/^sha256:/, '');
  return /^[0-9a-f]+$/.test(digits) && imageId.replace(/^sha256:/, '').startsWith(digits);
}

function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return name === pattern;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  const last = rest.pop()!;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length >= at + last.length && name.endsWith(last);
}
