import { RpcClient } from './rpc-client.ts';
import { TestSession } from './session.ts';

/** Sessions that tests of this worker have given back, by what was asked for. */
const free = new Map<string, LentSession[]>();

/** Ends all that runs in a container but its agent, which may be nothing, and removes every file; prints what is left. */
const EMPTY = `kill -9 -1 2> /dev/null
set -- /workspace /tmp /dev/shm /home/sandbox
chmod -R u+rwX "$@" 2> /dev/null
find "$@" -mindepth 1 -delete
find "$@" -mindepth 1`;

/** A session in a container, which is given back at its block's end instead of closed: empty, with a fresh interpreter. */
class LentSession extends TestSession {
  readonly #key: string;

  constructor(client: RpcClient, info: unknown, key: string) {
    super(client, info);
    this.#key = key;
  }

  /** Fails the test that has it and no other, where it can't be emptied: that one has broken it. */
  override async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#empty();
    } catch (error) {
      await this.close();
      throw new Error('a lent session is not fit for another test', { cause: error });
    }
    free.set(this.#key, [...(free.get(this.#key) ?? []), this]);
  }

  async #empty(): Promise<void> {
    await this.done('restart_context');
    const { stdout, stderr } = await this.shell('sh', ['-c', EMPTY]);
    const { processes } = await this.client.call('process.list', { sessionId: this.id });
    // What ended with it has been told by now.
    this.client.notifications.length = 0;
    const left = { stdout, stderr, processes };
    if (stdout || stderr || processes.length > 0) throw new Error(`left in it: ${JSON.stringify(left)}`);
  }
}

/**
 * Opens a session for a test that asks no more of it than to be empty: one that has counted no cell yet, or whose end is looked at, is
 * `TestSession.open`'s. A container is dear, and so it has been another test's before.
 */
export async function lentSession(
  wsUrl: string,
  config: { readonly language: string; readonly runtimeType: string },
): Promise<TestSession> {
  if (config.runtimeType !== 'Docker') return TestSession.open(wsUrl, config);
  const key = JSON.stringify([wsUrl, config.language]);
  const given = free.get(key)?.pop();
  if (given) return given;
  const client = await RpcClient.connect(wsUrl);
  return new LentSession(client, await client.call('session.create', config), key);
}
