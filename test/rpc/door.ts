import pino from 'pino';
import type { Connection } from '../../src/rpc/connection.ts';
import { createRpc } from '../../src/rpc/index.ts';
import { ServiceDouble, log as silent } from './service-double.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into what was answered
type Message = any;

/** The JSON-RPC door without a socket: what a client sends goes in, what it would receive is listed in order. */
export function openDoor(options: { live?: boolean } = {}) {
  const service = new ServiceDouble();
  const logged: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => logged.push(line) });
  const rpc = createRpc({ service, log });
  const received: Message[] = [];
  const outlet = {
    send(text: string, gone: () => void) {
      received.push(JSON.parse(text));
      gone();
    },
    room() {},
  };
  const join = (): Connection =>
    rpc.connect({ owner: null, client: 'test', log: silent, outlet: options.live === false ? null : outlet });
  const connection = join();
  let id = 0;

  return {
    service,
    logged,
    received,
    connection,
    join,
    send: (message: unknown) =>
      connection.receive(typeof message === 'string' ? message : JSON.stringify(message)),
    /** Calls and resolves to the whole response. */
    async ask(method: string, params?: unknown): Promise<Message> {
      const mine = ++id;
      await connection.receive(JSON.stringify({ jsonrpc: '2.0', id: mine, method, params }));
      return received.find(message => message.id === mine);
    },
    notifications: () => received.filter(message => message.method),
  };
}

export async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('did not come to pass');
    await new Promise(resolve => setTimeout(resolve, 1));
  }
}
