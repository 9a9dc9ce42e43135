const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
/** What some resolver or other takes for an address: parts that are numbers, decimal, octal or hexadecimal. */
const NUMBER = /^(0x[0-9a-f]*|\d+)$/;
const MAX_LENGTH = 253;

/**
 * The one spelling of a host's name: lower case, without the last dot, labels of letters, digits and hyphens (RFC 1123; the underscore too,
 * which names in use have). Null for anything else, and for what could be read as an address.
 */
export function canonicalName(text: string): string | null {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (name.length === 0 || name.length > MAX_LENGTH) return null;
  const labels = name.split('.');
  if (!labels.every(label => LABEL.test(label))) return null;
  return NUMBER.test(labels.at(-1)!) ? null : name;
}
