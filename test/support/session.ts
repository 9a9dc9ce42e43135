// biome-ignore-all lint/suspicious/noExplicitAny: tests look into what a service sent
import { RpcClient } from './rpc-client.ts';

/** One session and the connection it is used through; closed when a test's block ends. */
export class TestSession implements AsyncDisposable {
  readonly client: RpcClient;
  readonly info: any;

  protected constructor(client: RpcClient, info: any) {
    this.client = client;
    this.info = info;
  }

  static async open(
    wsUrl: string,
    config: Record<string, unknown>,
    headers: Record<string, string> = {},
  ): Promise<TestSession> {
    const client = await RpcClient.connect(wsUrl, { headers });
    return new TestSession(client, await client.call('session.create', config));
  }

  get id(): string {
    return this.info.sessionId;
  }

  /** Sends a command and resolves to its CommandResult. */
  command(
    type: string,
    fields: Record<string, unknown> = {},
    more: Record<string, unknown> = {},
  ): Promise<any> {
    return this.client.call('session.execute', { sessionId: this.id, command: { type, ...fields }, ...more });
  }

  /** Sends a command and resolves to its `result`; one that did not succeed throws. */
  async done(type: string, fields: Record<string, unknown> = {}): Promise<any> {
    const answer = await this.command(type, fields);
    if (!answer.success) throw new Error(`${type}: ${answer.error}`);
    return answer.result;
  }

  /** Runs a cell and resolves to its CommandResult. */
  cell(code: string, more: Record<string, unknown> = {}): Promise<any> {
    return this.command('execute_code', { code, ...more });
  }

  /** Runs a cell that is expected to succeed and resolves to what it printed. */
  async prints(code: string, more: Record<string, unknown> = {}): Promise<string> {
    return (await this.done('execute_code', { code, ...more })).stdout;
  }

  /** Runs a program without a shell in between. */
  async shell(commandName: string, args: string[] = [], more: Record<string, unknown> = {}): Promise<any> {
    return this.done('execute_shell', { commandName, args, ...more });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async close(): Promise<void> {
    await this.client.call('session.close', { sessionId: this.id }).catch(() => {});
    await this.client.close();
  }
}
