import { CodeBeakerError, saidOf, unanswered } from './codebeaker-error.ts';
import type { Problem } from './wire.ts';

/** What a request carries beside its path. */
export interface Asking {
  /** Sent as JSON, unless it is bytes, or a stream or blob of them. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** The service over HTTP. */
export class Http {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string | undefined;

  constructor(url: string, key: string | undefined) {
    this.url = url.replace(/\/+$/, '');
    this.key = key;
  }

  /** @throws {CodeBeakerError} for every status that is an error, and where there is no answer */
  async ask(method: string, path: string, { body, headers, signal }: Asking = {}): Promise<Response> {
    const isStream = body instanceof ReadableStream;
    const isBytes = isStream || body instanceof Uint8Array || body instanceof Blob;
    const sent = {
      ...(this.key && { authorization: `Bearer ${this.key}` }),
      ...(body !== undefined && {
        'content-type': isBytes ? 'application/octet-stream' : 'application/json',
      }),
      ...headers,
    };
    const content = isBytes ? (body as Uint8Array<ArrayBuffer> | Blob) : JSON.stringify(body);
    let response: Response;
    try {
      const init: RequestInit = { method, headers: sent, signal: signal ?? null };
      if (body !== undefined) init.body = content;
      // https://fetch.spec.whatwg.org/#dom-requestinit-duplex: a body of unknown length must say so.
      if (isStream) Object.assign(init, { duplex: 'half' });
      response = await fetch(`${this.url}${path}`, init);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw unanswered(method, this.url, error);
    }
    if (!response.ok) throw await this.#whole(method, response, errorOf);
    return response;
  }

  async json<T>(method: string, path: string, asking?: Asking): Promise<T> {
    return this.whole(method, path, response => response.json() as Promise<T>, asking);
  }

  /** A method of JSON-RPC that needs no connection of its own. */
  async call<T>(method: string, params: object): Promise<T> {
    const body = { jsonrpc: '2.0', id: 1, method, params };
    const { result, error } = await this.json<{ result: T; error?: Parameters<typeof saidOf>[0] }>(
      'POST',
      '/api/jsonrpc',
      { body },
    );
    if (error) throw saidOf(error);
    return result;
  }

  /** An answer up to its end, taken by `take`. @throws {CodeBeakerError} also where it is cut off */
  async whole<T>(
    method: string,
    path: string,
    take: (response: Response) => Promise<T>,
    asking?: Asking,
  ): Promise<T> {
    return this.#whole(method, await this.ask(method, path, asking), take);
  }

  async #whole<T>(method: string, response: Response, take: (response: Response) => Promise<T>): Promise<T> {
    try {
      return await take(response);
    } catch (error) {
      throw unanswered(method, this.url, error);
    }
  }
}

async function errorOf(response: Response): Promise<CodeBeakerError> {
  const text = await response.text();
  const after = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfter = Number.isNaN(after) ? undefined : after;
  try {
    const said = JSON.parse(text) as Problem;
    return new CodeBeakerError(said.code, said.message, { ...said, retryAfter });
  } catch {
    // Something in between answered, such as a proxy.
    return new CodeBeakerError('UNREACHABLE', `HTTP ${response.status}: ${text.slice(0, 200)}`, {
      retryAfter,
    });
  }
}
