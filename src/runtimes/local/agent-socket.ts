import { createServer, type Server, type Socket } from 'node:net';
import { isSameSecret } from '../../same-secret.ts';
import { SandboxLost } from '../../sandbox.ts';
import { guarded } from '../../wire/guarded.ts';

/** What a connection may take to greet, milliseconds. */
const GREET_MS = 15_000;
const MAX_GREETING_BYTES = 512;

interface Expected {
  /** What its connection must say. */
  readonly key: string;
  readonly connected: PromiseWithResolvers<Socket>;
}

/** The abstract socket that agents of local sandboxes connect to. A connection that does not greet as one of those expected is closed. */
export class AgentSocket {
  readonly #server: Server;
  readonly #expected = new Map<string, Expected>();

  /** `name`: without the leading NUL. */
  constructor(name: string) {
    this.#server = createServer(stream => this.#greet(stream)).listen(`\0${name}`);
    // A connection that can't be accepted is a sandbox that does not start in time.
    this.#server.on('error', error => console.error(`The launcher's socket: ${error.message}`));
    this.#server.unref();
  }

  /** Resolves to the stream of the agent that greets with this key, paused. Whoever asks calls {@link forget} when done. @throws {SandboxLost} see {@link fail} */
  expect(id: string, key: string): Promise<Socket> {
    const connected = Promise.withResolvers<Socket>();
    connected.promise.catch(() => {});
    this.#expected.set(id, { key, connected });
    return connected.promise;
  }

  /** The sandbox will not start. Does nothing once its agent has connected. */
  fail(id: string, reason: string): void {
    this.#expected.get(id)?.connected.reject(new SandboxLost(reason));
  }

  /** Nothing that greets as this sandbox is let in any more. */
  forget(id: string): void {
    this.fail(id, 'the sandbox was stopped');
    this.#expected.delete(id);
  }

  close(): void {
    this.#server.close();
  }

  /** Reads who connects: a sandbox's key and its id, on one line; the agent speaks after that. */
  #greet(stream: Socket): void {
    let greeting = Buffer.alloc(0);
    const refuse = () => stream.destroy();
    const deadline = setTimeout(refuse, GREET_MS);
    stream.on('error', () => {});
    stream.once('close', () => clearTimeout(deadline));
    const read = guarded((bytes: Buffer) => {
      greeting = Buffer.concat([greeting, bytes]);
      const end = greeting.indexOf(10);
      if (end < 0 && greeting.length <= MAX_GREETING_BYTES) return;
      stream.off('data', read);
      stream.pause();
      clearTimeout(deadline);
      const [key = '', id = ''] = greeting.toString('latin1', 0, Math.max(end, 0)).split(' ');
      const expected = this.#expected.get(id);
      if (end < 0 || !expected || !isSameSecret(key, expected.key)) return refuse();
      if (end + 1 < greeting.length) stream.unshift(greeting.subarray(end + 1));
      expected.connected.resolve(stream);
    }, refuse);
    stream.on('data', read);
  }
}
