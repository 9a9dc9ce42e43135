import type { Order, Started } from '../order.ts';
import { ONE_THREAD } from '../plan.ts';
import type { InterpreterOrder, Offspring, ZygoteReply, ZygoteRequest } from './protocol.ts';

/** The launcher's hold on its zygote (main.ts). */
export class Zygote {
  readonly #process: Bun.Subprocess<'pipe', 'pipe', 'inherit'>;
  readonly #running = new Map<string, PromiseWithResolvers<string>>();
  readonly #waits = new Map<string, PromiseWithResolvers<void>>();
  /** By sandbox. */
  readonly #forked = new Map<string, PromiseWithResolvers<number | null>>();
  readonly #ready = Promise.withResolvers<void>();

  constructor(bun: string, bundle: string) {
    this.#process = Bun.spawn({
      cmd: [bun, bundle],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', ...ONE_THREAD },
      cwd: '/',
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    });
    void this.#listen();
  }

  /** Rejects when it does not come up. */
  get ready(): Promise<void> {
    return this.#ready.promise;
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

  /** Resolves when it waits; `ended` is for later. @throws {Error} when it does not come to that */
  async interpreter(id: string, order: InterpreterOrder): Promise<Started> {
    const ended = Promise.withResolvers<string>();
    const waits = Promise.withResolvers<void>();
    this.#running.set(id, ended);
    this.#waits.set(id, waits);
    this.#tell({ op: 'interpreter', id, ...order });
    void ended.promise.then(words => waits.reject(new Error(words || 'it ended without a word')));
    await waits.promise;
    return { ended: ended.promise, kill: () => this.#tell({ op: 'kill', id }) };
  }

  /** Has an interpreter fork itself into a sandbox; null when it does not. */
  forkFrom(from: string, id: string, offspring: Offspring): Promise<number | null> {
    const forked = Promise.withResolvers<number | null>();
    this.#forked.set(id, forked);
    this.#tell({ op: 'fork', id, from, ...offspring });
    return forked.promise;
  }

  #tell(request: ZygoteRequest): void {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    this.#process.stdin.flush();
  }

  async #listen(): Promise<void> {
    try {
      await this.#read();
    } catch (error) {
      process.stderr.write(
        `the zygote broke its protocol: ${error instanceof Error ? error.message : error}\n`,
      );
      this.kill();
    }
    await this.#process.exited;
    this.#ready.reject(new Error('the zygote did not start'));
    for (const { resolve } of this.#forked.values()) resolve(null);
    for (const { resolve } of this.#running.values()) resolve('the zygote has ended');
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let unread = '';
    for await (const chunk of this.#process.stdout) {
      const lines = (unread + decoder.decode(chunk, { stream: true })).split('\n');
      unread = lines.pop() ?? '';
      for (const line of lines) this.#heard(JSON.parse(line) as ZygoteReply);
    }
  }

  #heard(reply: ZygoteReply): void {
    if (reply.event === 'ready') return this.#ready.resolve();
    if (reply.event === 'waits') return this.#waits.get(reply.id)?.resolve();
    if (reply.event === 'forked') {
      this.#forked.get(reply.id)?.resolve(reply.pid);
      this.#forked.delete(reply.id);
      return;
    }
    this.#waits.delete(reply.id);
    this.#running.get(reply.id)?.resolve(reply.words);
    this.#running.delete(reply.id);
  }
}
