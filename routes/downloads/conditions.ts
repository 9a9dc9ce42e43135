import { invalid } from '../../src/errors.ts';
import type { Expectation, OpenFile } from '../../src/sandbox.ts';
import { CODINGS } from '../../src/service/transfers/codings.ts';
import { MAX_VERSIONS } from '../../src/wire/messages.ts';

/** Of `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7). */
const IMF_LENGTH = 29;

/** At the end of a tag. */
const CODED = new RegExp(`-(?:${CODINGS.join('|')})$`);

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

/** The versions that a header names, whatever the coding they were sent in; null where it names any. @throws {ServiceError} none */
function versionsIn(name: string, header: string): string[] | null {
  if (header.trim() === '*') return null;
  // One that is weak is the same as none (RFC 9110, 8.8.3.2).
  const tags = [...header.matchAll(/(W\/)?"([^"]*)"/g)];
  if (tags.length === 0) throw invalid(name, 'is neither * nor a list of ETags');
  return tags.flatMap(([, weak, tag = '']) => (weak ? [] : [tag.replace(CODED, '')]));
}

/**
 * What must be there for a writer to change it: `If-Match` names the versions it may replace, `If-None-Match: *` says that nothing may be
 * there. @throws {ServiceError} what can't be held to
 */
export function expectationOf(headers: Headers): Expectation | undefined {
  const { 'if-match': match, 'if-none-match': none, 'if-unmodified-since': since } = headers;
  if (since !== undefined)
    throw invalid(
      'if-unmodified-since',
      'names a second, within which a file may change twice; If-Match names a version',
    );
  if (match !== undefined && none !== undefined) throw invalid('if-match', 'does not go with if-none-match');
  if (none !== undefined) {
    if (none === '*') return 'nothing';
    throw invalid('if-none-match', 'can only be * where a file is changed');
  }
  if (typeof match !== 'string') return;
  const versions = versionsIn('if-match', match);
  if (versions && versions.length > MAX_VERSIONS)
    throw invalid('if-match', `names more than ${MAX_VERSIONS} versions`);
  return versions ? { versions } : 'something';
}

/** Whether a reader wants this version: `If-Match`, or without one `If-Unmodified-Since`. @throws {ServiceError} */
export function isWanted(headers: Headers, status: OpenFile): boolean {
  const { 'if-match': match, 'if-unmodified-since': since } = headers;
  if (typeof match === 'string') return versionsIn('if-match', match)?.includes(status.version) ?? true;
  const wanted = typeof since === 'string' ? Date.parse(since) : Number.NaN;
  return Number.isNaN(wanted) || seconds(status.modifiedAt) <= seconds(wanted);
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
