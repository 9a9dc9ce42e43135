import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { gone, refuse } from './access.ts';
import { endFrame, RpcError } from './connect-protocol.ts';
import { isGone } from './rpc-errors.ts';
import type { Sandbox } from './sandboxes.ts';

/** Most streams open at once, of a sandbox and of all. */
const MOST = { perSandbox: 128, total: 2048 };

/** Answers that go on: counts them, and ends them with their sandbox or client. */
export class Streams {
  readonly #open = new Map<Sandbox, number>();
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
    const own = this.#open.get(sandbox) ?? 0;
    if (own >= MOST.perSandbox || this.#all >= MOST.total)
      throw new RpcError('resource_exhausted', 'too many streams are open at once');
    this.#open.set(sandbox, own + 1);
    this.#all++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#all--;
      const rest = (this.#open.get(sandbox) ?? 1) - 1;
      if (rest > 0) this.#open.set(sandbox, rest);
      else this.#open.delete(sandbox);
    };
  }
}
