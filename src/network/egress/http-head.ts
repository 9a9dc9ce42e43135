/** The head of a request, as far as it bears on where it goes; see {@link readHead}. */
export type HttpHead =
  /** It may be one; more must come before that is known. */
  | { readonly kind: 'more' }
  /** Another protocol. */
  | { readonly kind: 'other' }
  /** It is HTTP that two servers might read differently, or that names no host. */
  | { readonly kind: 'bad' }
  | {
      readonly kind: 'head';
      /** As in Host, without its port; lower case. */
      readonly host: string;
      readonly port: number | null;
      /** What goes to the server in place of the head. */
      readonly rewritten: Uint8Array;
      /** Bytes of the head as it came. */
      readonly length: number;
      readonly body: Body;
      /** It asks for WebSocket on this connection. */
      readonly upgrade: boolean;
    };

export type Body = { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' };

const MORE = { kind: 'more' } as const;
const OTHER = { kind: 'other' } as const;
const BAD = { kind: 'bad' } as const;
export const MAX_HEAD_BYTES = 64 * 1024;
/** Of its first line, as long as that may still be another protocol's. */
const MAX_LINE_BYTES = 16 * 1024;
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([!-~]+) HTTP/1\\.[01]$`);
const FIELD = new RegExp(`^(${TOKEN}):(.*)$`);
/** Of one connection alone (RFC 9110, 7.6.1); what is sent has one that says so. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection']);
/** Sent on with an upgrade to WebSocket alone. */
const OF_UPGRADES = new Set(['upgrade', 'http2-settings']);

/**
 * Reads the head of an HTTP/1 request (RFC 9112) strictly: what one server might read otherwise than another is refused. A connection
 * carries one request, so what is sent on says `Connection: close`. Never throws.
 */
export function readHead(bytes: Uint8Array): HttpHead {
  const text = Buffer.from(bytes.subarray(0, MAX_HEAD_BYTES)).toString('latin1');
  const sniffed = sniff(text);
  if (sniffed) return sniffed;
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return bytes.length >= MAX_HEAD_BYTES || isSpoilt(text) ? BAD : MORE;
  if (isSpoilt(text.slice(0, end))) return BAD;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const [, , target = ''] = REQUEST_LINE.exec(first) ?? [];
  if (!target) return BAD;
  const fields = lines.map(line => FIELD.exec(line));
  if (fields.some(field => field === null)) return BAD;
  return judge(first, target, fields as RegExpExecArray[], end + 4);
}

/** Whether it is HTTP at all; null where it is. */
function sniff(text: string): HttpHead | null {
  const line = /^[\r\n]*([^\r\n]*)(\r?\n)?/.exec(text)!;
  const [whole, content = '', ends] = line;
  const began = whole.length - content.length - (ends?.length ?? 0);
  if (content === '') return text.length > 64 ? OTHER : MORE;
  if (!/^[!-~]+( |$)/.test(content)) return OTHER;
  if (ends === undefined && text.length === whole.length)
    return content.length > MAX_LINE_BYTES ? OTHER : MORE;
  if (!/ HTTP\/\d/i.test(content)) return OTHER;
  // A server would skip empty lines before it (RFC 9112, 2.2).
  return began > 0 ? BAD : null;
}

/** Line ends that are half ones, and what no head has. */
function isSpoilt(text: string): boolean {
  return /[^\t\r\n -~\x80-\xff]|\r(?!\n|$)|(?<!\r)\n|\n[ \t]/.test(text);
}

function judge(first: string, target: string, fields: readonly RegExpExecArray[], length: number): HttpHead {
  const values = (name: string) =>
    fields.filter(([, field = '']) => field.toLowerCase() === name).map(([, , value = '']) => trimmed(value));
  const [host, ...others] = values('host');
  const named = host === undefined || others.length > 0 ? null : readHost(host);
  if (!named || !agrees(target, named)) return BAD;
  const body = bodyOf(values('content-length'), values('transfer-encoding'));
  if (!body) return BAD;
  const [protocol, ...protocols] = values('upgrade');
  // What came after another, such as HTTP/2's, might name other hosts.
  const upgrade =
    /(^|[\s,])upgrade([\s,]|$)/i.test(values('connection').join(',')) &&
    protocols.length === 0 &&
    protocol?.toLowerCase() === 'websocket';
  const kept = fields.filter(
    ([, field = '']) =>
      !HOP_BY_HOP.has(field.toLowerCase()) && (upgrade || !OF_UPGRADES.has(field.toLowerCase())),
  );
  const connection = upgrade ? 'Connection: Upgrade' : 'Connection: close';
  const rewritten = [first, ...kept.map(([line]) => line), connection, '', ''].join('\r\n');
  return { kind: 'head', ...named, rewritten: Buffer.from(rewritten, 'latin1'), length, body, upgrade };
}

/** Without the white space that a value may have around it (RFC 9110, 5.5); a pattern would try all of it from each place. */
function trimmed(value: string): string {
  const isSpace = (at: number) => value[at] === ' ' || value[at] === '\t';
  let [from, to] = [0, value.length];
  while (from < to && isSpace(from)) from++;
  while (to > from && isSpace(to - 1)) to--;
  return value.slice(from, to);
}

interface Named {
  readonly host: string;
  readonly port: number | null;
}

function readHost(text: string): Named | null {
  const [, host, port] = /^([A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  return host === undefined
    ? null
    : { host: host.toLowerCase(), port: port === undefined ? null : Number(port) };
}

/** A target with a host of its own, which counts more than the field (RFC 9112, 3.2.2), must have the same. */
function agrees(target: string, { host, port }: Named): boolean {
  if (target.startsWith('/') || target === '*') return true;
  const [, authority = ''] = /^http:\/\/([^/?#]*)/i.exec(target) ?? [];
  const own = readHost(authority);
  return own !== null && own.host === host && (own.port ?? 80) === (port ?? 80);
}

function bodyOf(lengths: readonly string[], codings: readonly string[]): Body | null {
  if (lengths.length > 0 && codings.length > 0) return null;
  if (codings.length > 0)
    return codings.length === 1 && codings[0]!.toLowerCase() === 'chunked' ? { kind: 'chunked' } : null;
  const [length = '0', ...others] = lengths;
  const isOne = others.length === 0 && /^\d{1,15}$/.test(length);
  return isOne ? { kind: 'length', bytes: Number(length) } : null;
}
