// biome-ignore-all lint/suspicious/noExplicitAny: tests look into what a service sent
import { RpcClient } from './rpc-client.ts';
import type { TestSession } from './session.ts';

/** A terminal of a session as one client sees it: its bytes, in order. */
export class Terminal implements AsyncDisposable {
  readonly #client: RpcClient;
  readonly #sessionId: string;
  readonly #commandId: string;
  /** Where what is typed next is looked for. */
  #from = 0;

  private constructor(client: RpcClient, sessionId: string, commandId: string) {
    this.#client = client;
    this.#sessionId = sessionId;
    this.#commandId = commandId;
  }

  /** Starts a program in a terminal of 80 columns and 24 rows. */
  static async open(
    { client, id }: TestSession,
    commandName: string,
    args: string[] = [],
    more: Record<string, unknown> = {},
  ): Promise<Terminal> {
    const command = {
      type: 'execute_shell',
      commandName,
      args,
      background: true,
      pty: { cols: 80, rows: 24 },
      ...more,
    };
    const answer = await client.call('session.execute', { sessionId: id, command });
    if (!answer.success) throw new Error(answer.error);
    return new Terminal(client, id, answer.result.commandId);
  }

  /** The same terminal, seen by a client that comes later. */
  async elsewhere(wsUrl: string): Promise<Terminal> {
    return Terminal.of(wsUrl, this.#sessionId, this.#commandId);
  }

  /** A terminal of a session that another client has opened. */
  static async of(wsUrl: string, sessionId: string, commandId: string): Promise<Terminal> {
    const client = await RpcClient.connect(wsUrl);
    await client.call('session.attach', { sessionId });
    return new Terminal(client, sessionId, commandId);
  }

  /** All that it has shown this client. */
  get bytes(): Buffer {
    const parts = this.#client.notifications
      .filter(({ method, params }) => method === 'execution.output' && params.commandId === this.#commandId)
      .map(({ params }) =>
        params.text === undefined ? Buffer.from(params.data, 'base64') : Buffer.from(params.text),
      );
    return Buffer.concat(parts);
  }

  /** Resolves once it has shown that after what was looked for before. */
  async has(text: string | Buffer): Promise<void> {
    const look = () => {
      const at = this.bytes.indexOf(text, this.#from);
      if (at < 0) return false;
      this.#from = at + Buffer.byteLength(text);
      return true;
    };
    await this.#client.until(look).catch((cause: unknown) => {
      const shown = JSON.stringify(this.bytes.subarray(this.#from).toString('latin1'));
      throw new Error(`waited for ${JSON.stringify(text.toString('latin1'))}, and got ${shown}`, { cause });
    });
  }

  async types(text: string, shows: string | Buffer): Promise<void> {
    await this.#call('process.input', { data: text });
    await this.has(shows);
  }

  resize(cols: number, rows: number): Promise<any> {
    return this.#call('process.resize', { cols, rows });
  }

  async ended(): Promise<any> {
    const { params } = await this.#client.notified(
      ({ method, params }) => method === 'execution.completed' && params.commandId === this.#commandId,
    );
    return params;
  }

  /** Closes the connection, for a client of its own. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#client.close();
  }

  #call(method: string, fields: object): Promise<any> {
    return this.#client.call(method, { sessionId: this.#sessionId, commandId: this.#commandId, ...fields });
  }
}
