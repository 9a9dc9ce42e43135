/** Meant for one connection, and for nobody behind it (RFC 9110, 7.6.1). */
const OF_THE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
]);
/** Bring a port's token: of our own clients, and of E2B's. */
export const TOKEN_HEADERS = ['x-codebeaker-port-token', 'e2b-traffic-access-token'] as const;
/** What only we may say, or be told. */
const OURS = /^(?:host|forwarded|x-forwarded-.*|x-codebeaker-.*|e2b-traffic-access-token)$/;
const WITHOUT_BODY = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE']);

export interface AskedPort {
  readonly method: string;
  /** Names and values in turns, as they came. */
  readonly rawHeaders: readonly string[];
  readonly port: number;
  /** It may speak another protocol from then on. */
  readonly upgrade: boolean;
  /** Whether a value is one of the service's keys, with or without words around it. */
  readonly isKey: (value: string) => boolean;
}

/**
 * The headers of a request as a program of a sandbox gets them: as if it came to `localhost`, since development servers look at that; nothing
 * that opens the API.
 */
export function headersForPort({ method, rawHeaders, port, upgrade, isKey }: AskedPort): string[] {
  const asked = pairs(rawHeaders);
  const said = (wanted: string) => asked.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const host = said('host') ?? '';
  const inside = `localhost:${port}`;
  const scheme = said('x-forwarded-proto') === 'https' ? 'https' : 'http';
  const passed = endToEnd(asked).flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    if (OURS.test(lower) || isKey(value)) return [];
    // Its own pages come from where it believes to be.
    if (lower === 'origin' && URL.parse(value)?.host === host.toLowerCase())
      return [name, `http://${inside}`];
    return [name, value];
  });
  const more = ['Host', inside, 'X-Forwarded-Host', host, 'X-Forwarded-Proto', scheme];
  if (upgrade) return [...passed, ...more, 'Connection', 'Upgrade', 'Upgrade', said('upgrade') ?? ''];
  if (said('transfer-encoding') !== undefined) more.push('Transfer-Encoding', 'chunked');
  else if (said('content-length') === undefined && !WITHOUT_BODY.has(method))
    more.push('Content-Length', '0');
  return [...passed, ...more, 'Connection', 'close'];
}

/** The headers of an answer as its client gets them: for this one origin alone. */
export function headersOfPort(rawHeaders: readonly string[]): string[] {
  const passed = endToEnd(pairs(rawHeaders)).flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    // The first would name another server for this origin; the second is set below.
    if (lower === 'alt-svc' || lower === 'referrer-policy') return [];
    // For the names of all ports, it would be other sandboxes' too.
    if (lower === 'set-cookie') return [name, value.replace(/;[\s]*domain[\s]*=[^;]*/gi, '')];
    return [name, value];
  });
  // The name is a secret: pages that it leads to are not told it.
  return [...passed, 'Referrer-Policy', 'same-origin'];
}

function endToEnd(all: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const named = all
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(','));
  const dropped = new Set([...OF_THE_CONNECTION, ...named.map(name => name.trim().toLowerCase())]);
  return all.filter(([name]) => !dropped.has(name.toLowerCase()));
}

function pairs(raw: readonly string[]): (readonly [string, string])[] {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? ''] as const] : []));
}
