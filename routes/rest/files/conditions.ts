import type { OpenFile } from '../../../src/sandbox.ts';
import { CODINGS } from '../../../src/service/transfers/codings.ts';

/** Of `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7). */
const IMF_LENGTH = 29;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** A strong validator (RFC 9110, 8.8.3): another one whenever the file has changed, and for every coding. */
export function entityTag({ version }: OpenFile, coding: string | null): string {
  return coding ? `"${version}-${coding}"` : `"${version}"`;
}

/** As `Last-Modified` has it, to a second; undefined for a time that a program has set and no header can name. */
export function lastModified({ modifiedAt }: OpenFile): string | undefined {
  const { length } = new Date(modifiedAt).toUTCString();
  return length === IMF_LENGTH ? new Date(modifiedAt).toUTCString() : undefined;
}

/** Whether the client has this version already: `If-None-Match`, or without one `If-Modified-Since`. */
export function isKnown(headers: Headers, status: OpenFile): boolean {
  const { 'if-none-match': tags, 'if-modified-since': since } = headers;
  const known = [null, ...CODINGS].map(coding => entityTag(status, coding));
  if (typeof tags === 'string')
    return tags.trim() === '*' || (tags.match(/"[^"]*"/g) ?? []).some(tag => known.includes(tag));
  return typeof since === 'string' && seconds(status.modifiedAt) <= seconds(Date.parse(since));
}

/** Whether a `Range` is of this version: `If-Range` says which one the client has the rest of. */
export function rangeHolds(headers: Headers, status: OpenFile): boolean {
  const { 'if-range': validator } = headers;
  if (typeof validator !== 'string') return true;
  return validator.startsWith('"')
    ? validator === entityTag(status, null)
    : validator === lastModified(status);
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
