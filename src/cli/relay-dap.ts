import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodeBeakerError } from '../client/codebeaker-error.ts';
import { printableLines } from './printable.ts';
import { reasonOf } from './reason-of.ts';

/** Bytes on their way to the server, beyond which the editor waits. */
const WINDOW = 1024 * 1024;
const LOOK_MS = 10;
/** Codes of a close that was asked for: by the debugger's end, or by the editor's (RFC 6455, 7.4.1). */
const AS_ASKED = [1000, 1005];
/** Bytes that an editor has not read: a WebSocket can't be made to wait, so that beyond them its debugger is ended. */
const MAX_UNREAD = 16 * 1024 * 1024;

export interface DapOptions {
  /** Of the server, without a path. */
  readonly url: string;
  readonly key: string | undefined;
  readonly sessionId: string;
  /** The session's by default. */
  readonly language: string | undefined;
  /** For people. */
  readonly complaints: Writable;
}

/** The server refuses, or is none; the message is a sentence. */
export class DapRefused extends Error {
  override readonly name = 'DapRefused';
}

/**
 * Hands an editor's messages, framed by Content-Length, on to a debugger of a session, and brings back what that says. Resolves when
 * either has ended it. @throws {DapRefused | CodeBeakerError} the latter for a debugger that ended otherwise
 */
export async function relayDap(input: Readable, output: Writable, options: DapOptions): Promise<void> {
  const socket = new WebSocket(await start(options));
  socket.binaryType = 'arraybuffer';
  const closed = once(socket, 'close') as Promise<[CloseEvent]>;
  let isDeaf = false;
  let isLeft = false;
  socket.addEventListener('message', ({ data }) => {
    isDeaf ||= output.writableLength > MAX_UNREAD;
    if (isDeaf) socket.close();
    else if (output.writable) output.write(typeof data === 'string' ? data : Buffer.from(data));
  });
  // Told by the close that follows.
  socket.addEventListener('error', () => {});
  await Promise.race([once(socket, 'open'), closed]);
  const forward = async () => {
    for await (const bytes of input) {
      socket.send(bytes);
      // Of a socket that is closed it only grows.
      while (socket.readyState === WebSocket.OPEN && socket.bufferedAmount > WINDOW) await sleep(LOOK_MS);
    }
  };
  // An editor that is gone has nothing to ask of its debugger.
  forward()
    .catch(() => {})
    .finally(() => {
      isLeft = true;
      socket.close();
    });
  const [{ code, reason }] = await closed;
  if (isDeaf) {
    output.destroy();
    throw new DapRefused('The editor does not read what its debugger says, which was ended');
  }
  if (!isLeft && !AS_ASKED.includes(code))
    throw new CodeBeakerError(
      'CONNECTION_LOST',
      reason || `The connection to ${new URL(options.url).origin} was lost, and its debugger with it`,
    );
}

/** Listens for editors on 127.0.0.1; each connection is a debugger of its own. Resolves to the port. */
export async function listenForEditors(port: number, options: DapOptions): Promise<number> {
  const server = createServer(socket => {
    // Else each small message waits for an answer to the one before.
    socket.setNoDelay();
    socket.on('error', () => {});
    relayDap(socket, socket, options)
      .catch((error: Error) => options.complaints.write(`${printableLines(error.message)}\n`))
      .finally(() => socket.end());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening').catch(error => {
    throw new DapRefused(`Port ${port} of 127.0.0.1 can't be listened on: ${reasonOf(error)}`);
  });
  return (server.address() as { port: number }).port;
}

/** The address of a debugger's one connection, which needs no key. @throws {DapRefused} */
async function start({ url, key, sessionId, language }: DapOptions): Promise<string> {
  const params = { sessionId, ...(language !== undefined && { language }) };
  const answer = await asked(new URL('/api/jsonrpc', url), key, {
    jsonrpc: '2.0',
    id: 1,
    method: 'debug.start',
    params,
  });
  const path = answer?.result?.url;
  const base = url.replace(/^http/, 'ws');
  const address = typeof path === 'string' ? URL.parse(path, base) : null;
  // Of nobody else: this machine may reach what the server can't.
  if (address !== null && address.origin === new URL(base).origin) return address.href;
  const { message = 'it answered with what is none of its own', data } = answer?.error ?? answer ?? {};
  throw new DapRefused([message, data?.details].filter(Boolean).join('\n'));
}

// biome-ignore lint/suspicious/noExplicitAny: whatever answered
async function asked(address: URL, key: string | undefined, body: object): Promise<any> {
  const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) };
  let response: Response;
  try {
    response = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body) });
  } catch {
    throw new DapRefused(`No CodeBeaker answers at ${address.origin}: start it, or set CODEBEAKER_URL`);
  }
  if (response.status === 401)
    throw new DapRefused(`${address.origin} asks for a key: set CODEBEAKER_API_KEY to one of its keys`);
  return response.json().catch(() => null);
}
