import { bun } from '../../../src/toolchains/bun.ts';
import { openHttp } from '../support/open-http.ts';
import type { ServiceOptions } from '../support/open-service.ts';

/** An answer as its client sees it. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Of what is JSON. */
  readonly body: Record<string, unknown>;
}

export interface Made {
  readonly id: string;
  readonly token: string;
  /** Of its traffic. */
  readonly traffic: string;
}

interface Ask {
  readonly method?: string;
  readonly key?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** The door for clients of E2B over sandboxes in memory, for two keys. */
export async function openE2b(options: ServiceOptions = {}) {
  const all = await openHttp(
    { CODEBEAKER_API_KEYS: 'alice,bob' },
    { capabilities: { home: true, pty: true }, guests: [bun], ...options },
  );

  const send = (path: string, { method = 'POST', key, body, headers, signal }: Ask = {}) =>
    fetch(`${all.url}/e2b${path}`, {
      method,
      headers: {
        ...(key !== undefined && { 'x-api-key': key }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  const ask = async (path: string, asked: Ask = {}): Promise<Answer> => {
    const answer = await send(path, asked);
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') && text !== '';
    return { status: answer.status, text, body: isJson ? JSON.parse(text) : {} };
  };
  /** Headers of who asks a sandbox. */
  const to = ({ id, token }: Pick<Made, 'id' | 'token'>) => ({
    'e2b-sandbox-id': id,
    'x-access-token': token,
  });
  return {
    ...all,
    send,
    ask,
    to,
    async create(key = 'alice', more: object = {}): Promise<Made> {
      const { status, body, text } = await ask('/sandboxes', { key, body: { templateID: 'base', ...more } });
      if (status !== 201) throw new Error(text);
      const { sandboxID, envdAccessToken, trafficAccessToken } = body as Record<string, string>;
      return { id: sandboxID!, token: envdAccessToken!, traffic: trafficAccessToken! };
    },
    /** Runs a cell and resolves to the lines that came. */
    async cell(made: Made, code: string, more: object = {}) {
      const answer = await ask('/execute', { body: { code, ...more }, headers: to(made) });
      const lines = answer.text.split('\n').filter(Boolean);
      return { ...answer, lines: lines.map(line => JSON.parse(line) as Record<string, unknown>) };
    },
  };
}

/** A message to a call that answers by a stream. */
export function framed(message: object): string {
  const text = JSON.stringify(message);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(Buffer.byteLength(text), 1);
  return prefix.toString('latin1') + text;
}
