const ID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/** One label of DNS: the port, and a secret of 128 bits or a session's id. What is below it is none of the API's either. */
const LABEL = new RegExp(`(?:^|\\.)\\d{1,5}-(?:[0-9a-f]{32}|${ID})$`);
const OF_SESSION = new RegExp(`^([1-9]\\d{0,4})-(${ID})$`);

/**
 * Names of sandboxes' ports, `PORT-SECRET.DOMAIN`: an origin of its own for each, so that no page of a sandbox's is one of the API's or of another
 * port. Nothing else is served below a domain that the operator gives for them.
 */
export class PortNames {
  readonly #scheme: string;
  readonly #domain: string;
  readonly #own: boolean;
  #port: string;

  /** `origin`: of the operator's, such as `https://ports.example.com`; undefined for `localhost`, at the port that the server listens on. */
  constructor(origin: string | undefined) {
    const { protocol, hostname, port } = new URL(origin ?? 'http://localhost');
    this.#scheme = protocol;
    this.#domain = hostname;
    this.#own = origin !== undefined;
    this.#port = port && `:${port}`;
  }

  /** Where the server listens, which is part of names that lead to it without a proxy. */
  listensOn(port: number): void {
    if (!this.#own) this.#port = `:${port}`;
  }

  /** What names are below, with the port where it has to be said. */
  get domain(): string {
    return this.#domain + this.#port;
  }

  urlOf(label: string): string {
    return `${this.#scheme}//${label}.${this.domain}`;
  }

  /** What is before the domain in a Host header or a host of a URL that is one of these names, whether it leads anywhere or not; null for what is not. */
  labelIn(host: string | undefined): string | null {
    const name = host
      ?.toLowerCase()
      .replace(/:\d{1,5}$/, '')
      .replace(/\.$/, '');
    if (!name?.endsWith(`.${this.#domain}`)) return null;
    const label = name.slice(0, -this.#domain.length - 1);
    return this.#own || LABEL.test(label) ? label : null;
  }
}

/** The label of a port: by a secret, or by its session's id. */
export function labelOf(port: number, name: string): string {
  return `${port}-${name}`;
}

/** What a label says that leads to a port by its session's id, as names of E2B's sandboxes do; null for another one. */
export function portOfSession(label: string): { readonly port: number; readonly sessionId: string } | null {
  const [, digits, sessionId] = OF_SESSION.exec(label) ?? [];
  const port = Number(digits);
  return sessionId !== undefined && port <= 65_535 ? { port, sessionId } : null;
}
