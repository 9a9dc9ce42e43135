import type { IncomingHttpHeaders } from 'node:http';
import { Refusal } from './refusals.ts';

const PREFIX = 'x-metadata-';
/** As E2B's daemon has it: names with what the file system keeps before them, and values. */
const MOST_NAME = 246;
const MOST_BYTES = 4096;
const KEPT_BEFORE = 'user.e2b.'.length;

/** Metadata that an upload gives its files; null for none. @throws {Refusal} */
export function metadataIn(headers: IncomingHttpHeaders): Record<string, string> | null {
  const pairs = Object.entries(headers).flatMap(([header, value]): [string, string][] => {
    if (!header.startsWith(PREFIX)) return [];
    return [[header.slice(PREFIX.length), [value ?? ''].flat()[0] ?? '']];
  });
  let bytes = 0;
  for (const [name, value] of pairs) {
    if (name === '' || name.length > MOST_NAME || !isPrintable(name + value))
      throw new Refusal(
        400,
        `metadata ${JSON.stringify(name.slice(0, 100))}: names and values must be printable ASCII`,
      );
    bytes += KEPT_BEFORE + name.length + value.length;
  }
  if (bytes > MOST_BYTES) throw new Refusal(400, `metadata is over ${MOST_BYTES} bytes`);
  return pairs.length > 0 ? Object.fromEntries(pairs) : null;
}

const isPrintable = (text: string) => /^[\x20-\x7e]*$/.test(text);
