import type { Order, Started } from '../order.ts';
import { ONE_THREAD } from '../plan.ts';
import type { ZygoteReply, ZygoteRequest } from './protocol.ts';

/** The launcher's hold on its zygote (main.ts). */
export class Zygote {
  readonly #process: Bun.Subprocess<'pipe', 'pipe', 'inherit'>;
  readonly #running = new Map<string, PromiseWithResolvers<string>>();
  readonly #ready = Promise.withResolvers<void>();

  private constructor(bun: string, bundle: string) {
    this.#process = Bun.spawn({
      cmd: [bun, bundle],
      env: { PATH: '/usr/bin:/bin', ...ONE_THREAD },
      cwd: '/',
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    });
    void this.#listen();
  }

  /** @throws {Error} when it does not come up */
  static async start(bun: string, bundle: string): Promise<Zygote> {
    const zygote = new Zygote(bun, bundle);
    await zygote.#ready.promise;
    return zygote;
  }

  /** Resolves when it has ended, and all sandboxes with it. */
  get exited(): Promise<unknown> {
    return this.#process.exited;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  fork(id: string, order: Order): Started {
    const ended = Promise.withResolvers<string>();
    this.#running.set(id, ended);
    this.#tell({ op: 'start', id, ...order });
    return { ended: ended.promise, kill: () => this.#tell({ op: 'kill', id }) };
  }

  #tell(request: ZygoteRequest): void {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    this.#process.stdin.flush();
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    let unread = '';
    for await (const chunk of this.#process.stdout) {
      const lines = (unread + decoder.decode(chunk, { stream: true })).split('\n');
      unread = lines.pop() ?? '';
      for (const line of lines) this.#heard(JSON.parse(line) as ZygoteReply);
    }
    await this.#process.exited;
    this.#ready.reject(new Error('the zygote did not start'));
    for (const { resolve } of this.#running.values()) resolve('the zygote has ended');
  }

  #heard(reply: ZygoteReply): void {
    if (reply.event === 'ready') return this.#ready.resolve();
    this.#running.get(reply.id)?.resolve(reply.words);
    this.#running.delete(reply.id);
  }
}
