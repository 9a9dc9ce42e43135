import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { gone, refuse } from './access.ts';
import { endFrame, RpcError } from './connect-protocol.ts';
import { isGone } from './rpc-errors.ts';
import type { Sandbox } from './sandboxes.ts';

/** Most streams open at once: of a sandbox, of those of one key, and of all. Nobody need read them. */
const MOST = { perSandbox: 128, perOwner: 1024, total: 2048 };

/** Answers that go on: counts them, and ends them with their sandbox or client. */
export class Streams {
  readonly #open = new Map<Sandbox, number>();
  readonly #owners = new Map<string, number>();
  #all = 0;

  /**
   * Answers by frames, once the first is there. `begin` gets a signal that is aborted when the answer is over, however it ends; what it
   * throws is said in the stream's end. A stream that throws later is cut.
   */
  async answer(
    reply: FastifyReply,
    sandbox: Sandbox,
    begin: (over: AbortSignal) => Promise<AsyncIterable<Buffer>>,
    asRpcError: (error: unknown) => RpcError,
  ): Promise<FastifyReply> {
    reply.header('content-type', 'application/connect+json');
    try {
      return await this.send(reply, sandbox, begin);
    } catch (error) {
      // It ended meanwhile, which its clients know by this alone.
      if (isGone(error)) return refuse(reply, gone(sandbox.id));
      return reply.send(endFrame(asRpcError(error)));
    }
  }

  /** Answers by what `begin` resolves to; what it throws is thrown, and nothing has been answered. */
  async send(
    reply: FastifyReply,
    sandbox: Sandbox,
    begin: (over: AbortSignal) => Promise<AsyncIterable<Buffer>>,
  ): Promise<FastifyReply> {
    const { raw } = reply;
    const leave = this.#enter(sandbox);
    const over = new AbortController();
    const end = () => {
      leave();
      over.abort();
    };
    raw.once('close', end);
    // It may have gone before it was heard.
    if (raw.destroyed) end();
    try {
      return reply.send(Readable.from(await begin(over.signal), { objectMode: false }));
    } catch (error) {
      end();
      throw error;
    }
  }

  /** @throws {RpcError} resource_exhausted */
  #enter(sandbox: Sandbox): () => void {
    const { owner } = sandbox;
    const isFull =
      this.#all >= MOST.total ||
      (this.#open.get(sandbox) ?? 0) >= MOST.perSandbox ||
      (owner !== null && (this.#owners.get(owner) ?? 0) >= MOST.perOwner);
    if (isFull) throw new RpcError('resource_exhausted', 'too many streams are open at once');
    this.#count(sandbox, 1);
    let left = false;
    return () => {
      if (!left) this.#count(sandbox, -1);
      left = true;
    };
  }

  #count(sandbox: Sandbox, more: number): void {
    this.#all += more;
    add(this.#open, sandbox, more);
    if (sandbox.owner !== null) add(this.#owners, sandbox.owner, more);
  }
}

function add<K>(counts: Map<K, number>, key: K, more: number): void {
  const count = (counts.get(key) ?? 0) + more;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
