import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { Places } from '../../src/service/admission/places.ts';
import { onceClosed } from '../../src/wire/once-closed.ts';
import { gone, refuse } from './access.ts';
import { endFrame, type RpcError } from './connect-protocol.ts';
import { isGone } from './rpc-errors.ts';
import type { Sandbox } from './sandboxes.ts';

/** Most streams open at once: of a sandbox, of those of one key, and of all. Nobody need read them. */
const TOTAL = 2048;
const OF_SANDBOX = { perClient: 128, total: TOTAL };
const OF_OWNER = { perClient: TOTAL / 2, total: TOTAL };
const WHAT = 'streams are open';

/** Answers that go on: counts them, and ends them with their sandbox or client. */
export class Streams {
  readonly #ofSandboxes = new Places(WHAT, OF_SANDBOX);
  readonly #ofOwners = new Places(WHAT, OF_OWNER);

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
      if (over.signal.aborted) return;
      leave();
      over.abort();
    };
    onceClosed(raw, end);
    try {
      return reply.send(Readable.from(await begin(over.signal), { objectMode: false }));
    } catch (error) {
      end();
      throw error;
    }
  }

  /** @throws {ServiceError} QUEUE_FULL */
  #enter({ id, owner }: Sandbox): () => void {
    const leave = this.#ofSandboxes.enter(id);
    if (owner === null) return leave;
    try {
      const leaveOwner = this.#ofOwners.enter(owner);
      return () => {
        leaveOwner();
        leave();
      };
    } catch (error) {
      leave();
      throw error;
    }
  }
}
