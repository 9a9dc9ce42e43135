import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { printableLines } from './printable.ts';
import { sseMessages } from './sse-messages.ts';

/** `_meta` of requests since 2026-07-28; before, the version is agreed upon once. */
const VERSION = 'io.modelcontextprotocol/protocolVersion';
/** Of a JSON-RPC error that is none of the protocol's. */
const SERVER_ERROR = -32000;
/** More are answered, and not written down. */
const MOST_COMPLAINTS = 100;

interface Message {
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: {
    readonly name?: string;
    readonly uri?: string;
    readonly requestId?: string | number;
    readonly _meta?: Record<string, unknown>;
  };
}

export interface RelayOptions {
  /** Of the server, without a path. */
  readonly url: string;
  readonly key: string | undefined;
  readonly input: Readable;
  readonly output: Writable;
  /** For people: clients show what is written there in their logs. */
  readonly complaints: Writable;
}

/** An answer that is no message of the protocol. */
class Refused extends Error {
  override readonly name = 'Refused';
}

/**
 * Hands messages of the Model Context Protocol, one a line, on to a server's /mcp, and brings back its answers. Resolves when the input
 * has ended and all of it is answered.
 */
export async function relayMcp({ input, ...options }: RelayOptions): Promise<void> {
  const relay = new Relay(options);
  const running = new Set<Promise<void>>();
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    const taken = relay.take(line).finally(() => running.delete(taken));
    running.add(taken);
    // What follows needs what it agreed upon.
    if (relay.beginning) await taken;
  }
  await Promise.all(running);
  await relay.leave();
}

class Relay {
  readonly #url: string;
  readonly #key: string | undefined;
  readonly #output: Writable;
  readonly #complaints: Writable;
  readonly #said = new Set<string>();
  readonly #running = new Map<string | number, AbortController>();
  /** Names this process for its session, and what `initialize` agreed upon. */
  #connection: Record<string, string> = { 'mcp-session-id': randomUUID() };
  beginning = false;

  constructor({ url, key, output, complaints }: Omit<RelayOptions, 'input'>) {
    this.#url = new URL('/mcp', url).href;
    this.#key = key;
    this.#output = output;
    this.#complaints = complaints;
  }

  /** Never rejects: a request is answered in any case, unless it was cancelled. */
  async take(line: string): Promise<void> {
    let message: Message;
    try {
      message = JSON.parse(line);
    } catch {
      return this.#send({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } });
    }
    const { id, method, params } = message;
    const version = params?._meta?.[VERSION];
    if (method === 'notifications/cancelled' && params?.requestId !== undefined) {
      this.#running.get(params.requestId)?.abort();
      // Before that revision the server is told beside.
      if (version !== undefined) return;
    }
    const cancel = new AbortController();
    if (id != null) this.#running.set(id, cancel);
    this.beginning = method === 'initialize';
    try {
      await this.#exchange(line, message, headersOf(message, version), cancel.signal);
    } catch (error) {
      if (cancel.signal.aborted) return;
      const words = this.#inWords(error);
      this.#complain(words);
      if (id != null) await this.#send({ jsonrpc: '2.0', id, error: { code: SERVER_ERROR, message: words } });
    } finally {
      this.beginning = false;
      if (id != null) this.#running.delete(id);
    }
  }

  /** Ends what the server keeps for this process. */
  async leave(): Promise<void> {
    const headers = { ...this.#keyed(), ...this.#connection };
    await fetch(this.#url, { method: 'DELETE', headers }).catch(() => {});
  }

  async #exchange(
    line: string,
    { id, method }: Message,
    own: Record<string, string>,
    signal: AbortSignal,
  ): Promise<void> {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...this.#keyed(),
      ...this.#connection,
      ...own,
    };
    const response = await fetch(this.#url, { method: 'POST', headers, body: line, signal });
    if (response.body === null || response.status === 202) return;
    const stream = response.headers.get('content-type')?.startsWith('text/event-stream');
    for await (const message of stream ? sseMessages(response.body) : [await this.#messageOf(response)]) {
      if (method === 'initialize') this.#begin(response, message);
      // What was refused before it was read has no id.
      await this.#send(message.id == null && message.error ? { ...message, id: id ?? null } : message);
    }
  }

  /** @throws {Refused} when a key is wanted, or something else than the protocol answers */
  async #messageOf(response: Response) {
    const { status } = response;
    const text = await response.text();
    if (status === 401)
      throw new Refused(
        this.#key === undefined
          ? 'asks for a key: set CODEBEAKER_API_KEY to one of its keys'
          : 'does not take the key in CODEBEAKER_API_KEY',
      );
    const message = parsed(text);
    if (message?.jsonrpc === '2.0') return message;
    if (status === 404)
      throw new Refused(
        'does not speak this protocol: set CODEBEAKER_URL to a CodeBeaker whose CODEBEAKER_DOORS have mcp',
      );
    throw new Refused(`answered with ${status}${message?.message ? `: ${message.message}` : ''}`);
  }

  #begin({ headers }: Response, { result }: { result?: { protocolVersion?: string } }): void {
    const [session, version] = [headers.get('mcp-session-id'), result?.protocolVersion];
    if (session !== null) this.#connection['mcp-session-id'] = session;
    if (version !== undefined) this.#connection['mcp-protocol-version'] = version;
  }

  async #send(message: unknown): Promise<void> {
    if (!this.#output.write(`${JSON.stringify(message)}\n`)) await once(this.#output, 'drain');
  }

  #keyed(): Record<string, string> {
    return this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` };
  }

  /** Once each. */
  #complain(words: string): void {
    if (this.#said.has(words) || this.#said.size >= MOST_COMPLAINTS) return;
    this.#said.add(words);
    this.#complaints.write(`${printableLines(words)}\n`);
  }

  #inWords(error: unknown): string {
    const { message, cause } = error as Error & { cause?: { code?: string } };
    if (error instanceof Refused) return `${this.#url} ${message}`;
    if (cause?.code === 'ECONNREFUSED')
      return `No CodeBeaker answers at ${this.#url}: start it, or set CODEBEAKER_URL`;
    return `${this.#url}: ${cause?.code ?? message}`;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: whatever answered
function parsed(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What a request says of itself in headers since 2026-07-28. */
function headersOf({ method, params }: Message, version: unknown): Record<string, string> {
  if (typeof version !== 'string') return {};
  const name = params?.name ?? params?.uri;
  return {
    'mcp-protocol-version': version,
    ...(method !== undefined && { 'mcp-method': method }),
    ...(name !== undefined && { 'mcp-name': name }),
  };
}
