import { connect, type Socket } from 'node:net';
import { guarded } from '../../wire/guarded.ts';

/** For all of its answer, milliseconds and bytes. */
const PATIENCE_MS = 10_000;
const MAX_HEAD_BYTES = 16 * 1024;

/** A company's HTTP proxy, by which connections are made with CONNECT (RFC 9110, 9.3.6). */
export interface EgressProxy {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly authorization: string | null;
}

export function proxyOf(address: string): EgressProxy {
  const url = new URL(address);
  const secure = url.protocol === 'https:';
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    secure,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (secure ? 443 : 80),
    authorization: pair === ':' ? null : `Basic ${Buffer.from(pair).toString('base64')}`,
  };
}

/** @throws {Error} it is not to be had, or does not let it pass */
export async function connectThrough(proxy: EgressProxy, name: string, port: number): Promise<Socket> {
  const { secure, host, authorization } = proxy;
  const socket = secure
    ? process
        .getBuiltinModule('node:tls')
        .connect({ host, port: proxy.port, servername: host, ALPNProtocols: ['http/1.1'] })
    : connect({ host, port: proxy.port, allowHalfOpen: true, noDelay: true });
  const timer = setTimeout(() => socket.destroy(new Error('the proxy did not answer in time')), PATIENCE_MS);
  const lines = [`CONNECT ${name}:${port} HTTP/1.1`, `Host: ${name}:${port}`];
  if (authorization !== null) lines.push(`Proxy-Authorization: ${authorization}`);
  socket.once(secure ? 'secureConnect' : 'connect', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
  try {
    await accepted(socket);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function accepted(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the proxy has hung up')));
    const onData = guarded((bytes: Buffer) => {
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0 && head.length <= MAX_HEAD_BYTES) return;
      socket.off('data', onData);
      socket.pause();
      const [, code] = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1')) ?? [];
      if (end < 0 || code?.[0] !== '2') return reject(new Error(`the proxy answered ${code ?? 'no HTTP'}`));
      if (end + 4 < head.length) socket.unshift(head.subarray(end + 4));
      resolve();
    }, reject);
    socket.on('data', onData);
  });
}
