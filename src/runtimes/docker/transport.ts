import http, { type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { addAbortSignal, type Duplex, type Readable } from 'node:stream';
import { guarded } from '../../wire/guarded.ts';

/** Most bytes of an answer, streams excepted: thousands of containers with their labels. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_MESSAGE_LENGTH = 500;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** docker-modem's options of a request, besides those of HTTP. */
interface Request {
  /** The caller reads the answer's body. */
  readonly isStream?: boolean;
  /** The answer is an upgraded connection. */
  readonly hijack?: boolean;
  /** `true` for statuses that mean success. */
  readonly statusCodes: Readonly<Record<number, unknown>>;
}

type Body = string | Buffer | Readable | undefined;
type Settle = (error: Error | null, answer?: unknown) => void;

/** An answer is larger than was wanted. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}

/** An error status of the engine. */
export interface EngineRefusal extends Error {
  readonly statusCode: number;
}

/**
 * Replaces docker-modem's `buildRequest`, which follows redirects to any address, collects answers of any
 * size and leaves streams without error listeners: a misbehaving engine would end the process. Here a request
 * is never redirected; its answer is bounded in bytes by `maxBytes`, and in time by `signal`, which also ends resulting
 * streams and connections.
 */
export function transport(protocol: 'http' | 'https', signal: AbortSignal, maxBytes: number) {
  return (options: RequestOptions, wanted: Request, body: Body, callback: Settle): void => {
    const settle = once(callback);
    try {
      const on = <A extends unknown[]>(listener: (...args: A) => void) => guarded(listener, settle);
      const request = (protocol === 'https' ? https : http).request({ ...options, signal });
      let answered = false;
      request.on('error', settle);
      const onUpgrade = (_: IncomingMessage, socket: Duplex, head: Buffer) =>
        connect(wanted, socket, head, signal, settle);
      request.on('upgrade', on(onUpgrade));
      const onResponse = (response: IncomingMessage) => {
        answered = true;
        receive(wanted, response, maxBytes, settle);
      };
      request.on('response', on(onResponse));
      const onClose = () => {
        if (!answered) settle(new Error('it hung up'));
        if (isStream(body)) body.destroy();
      };
      request.on('close', on(onClose));
      if (isStream(body)) send(body, request);
      else request.end(body);
    } catch (error) {
      settle(error as Error);
    }
  };
}

/** Some streams are not instances of Node's own class. */
function isStream(body: Body): body is Readable {
  return typeof body === 'object' && 'pipe' in body;
}

function send(body: Readable, request: ClientRequest): void {
  body.on('error', ({ message }) => request.destroy(new Error(`what it is sent can't be read: ${message}`)));
  body.pipe(request);
}

/** Calls back once, and catches dockerode's callbacks, which throw on unexpected answers. */
function once(callback: Settle): Settle {
  let settled = false;
  return (error, answer) => {
    if (settled) return;
    settled = true;
    guarded(callback, problem => callback(problem))(error, answer);
  };
}

function connect(wanted: Request, socket: Duplex, head: Buffer, signal: AbortSignal, settle: Settle): void {
  // Errors may come before anybody listens, or after.
  socket.on('error', () => {});
  if (!wanted.hijack) {
    socket.destroy();
    return settle(new Error('it answers with a connection that nobody asked for'));
  }
  addAbortSignal(signal, socket);
  if (head.length > 0) socket.unshift(head);
  settle(null, socket);
}

function receive(
  { isStream, hijack, statusCodes }: Request,
  response: IncomingMessage,
  maxBytes: number,
  settle: Settle,
): void {
  response.on('error', settle);
  const status = response.statusCode ?? 0;
  const abandon = (error: Error) => {
    settle(error);
    response.destroy();
  };
  const fail = (message: string) => abandon(new Error(message));
  if (REDIRECTS.has(status)) return fail('it points elsewhere, which is not followed');
  const succeeded = statusCodes[status] === true;
  if (succeeded && hijack) return fail('it opens no connection');
  if (succeeded && isStream) return settle(null, response);
  const chunks: Buffer[] = [];
  let bytes = 0;
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) abandon(new AnswerTooLarge(`its answer is over ${maxBytes / 1024 / 1024} MiB`));
    else chunks.push(chunk);
  };
  response.on('data', guarded(onData, settle));
  const onEnd = () => {
    const answer = parse(Buffer.concat(chunks).toString('utf8'));
    if (succeeded) settle(null, answer);
    else settle(refusal(status, answer));
  };
  response.on('end', guarded(onEnd, settle));
  response.on('close', () => settle(new Error('its answer is cut short')));
}

/** Parses JSON; returns other text unchanged. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function refusal(statusCode: number, answer: unknown): EngineRefusal {
  const { message } = (answer ?? {}) as { message?: unknown };
  const words = typeof message === 'string' ? message : `it answers with status ${statusCode}`;
  return Object.assign(new Error(words.slice(0, MAX_MESSAGE_LENGTH)), { statusCode });
}
