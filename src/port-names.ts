/** One label of DNS: the port, and a secret of 128 bits. What is below it is none of the API's either. */
const LABEL = /(?:^|\.)\d{1,5}-[0-9a-f]{32}$/;

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

  urlOf(label: string): string {
    return `${this.#scheme}//${label}.${this.#domain}${this.#port}`;
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
