import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Admit } from '../../plugins/rate-limit.ts';
import type { Service } from '../../src/service/service.ts';
import { callOf } from '../rest/call.ts';
import { askForSandbox, daemonRoute, gone, refuse } from './access.ts';
import { RpcError, readFrame, readMessage } from './connect-protocol.ts';
import {
  closeStdinRequest,
  connectRequest,
  inputRequest,
  signalRequest,
  startRequest,
  updateRequest,
} from './process-messages.ts';
import { processFrames } from './process-streams.ts';
import { Processes } from './processes.ts';
import { isGone, rpcErrorOf } from './rpc-errors.ts';
import type { Sandbox, Sandboxes } from './sandboxes.ts';
import { Streams } from './streams.ts';

/** Most bytes of a call's message. A start may have a command line and an environment as long as a program can be given. */
const MESSAGE_BYTES = 8 * 1024 * 1024;
/** Longest timeout, and sign of life, that clients may ask for, milliseconds. */
const MOST_MS = 7 * 24 * 3600 * 1000;

type Unary = (message: unknown, request: FastifyRequest, reply: FastifyReply) => Promise<object>;

/** The calls of the daemon in a sandbox, but for its files. */
export function daemonRoutes(
  app: FastifyInstance,
  { service, sandboxes, admit }: { service: Service; sandboxes: Sandboxes; admit: Admit | undefined },
): void {
  const processes = new Processes(service);
  const streams = new Streams();
  askForSandbox(app, sandboxes, { admit, token: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/connect+json', 'application/json'],
    { parseAs: 'buffer', bodyLimit: MESSAGE_BYTES },
    (_, body, done) => done(null, body),
  );
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply));

  const endsWithSandbox = (sandbox: Sandbox, request: FastifyRequest, reply: FastifyReply) => async () => {
    try {
      const { state } = await service.sessions.get(sandbox.id, callOf(request, reply));
      if (state !== 'Closing' && state !== 'Closed') return false;
    } catch {
      // It has ended.
    }
    sandboxes.drop(sandbox.id);
    return true;
  };

  const unary = (name: string, act: Unary) =>
    app.post(`/process.Process/${name}`, daemonRoute, async (request, reply) => {
      const { body } = request;
      return act(readMessage(Buffer.isBuffer(body) ? body.toString('utf8') : '{}'), request, reply);
    });
  const streaming = (
    name: string,
    begin: (
      message: unknown,
      sandbox: Sandbox,
      request: FastifyRequest,
      reader: ReturnType<typeof callOf>,
    ) => ReturnType<Processes['follow']>,
  ) =>
    app.post(`/process.Process/${name}`, daemonRoute, (request, reply) => {
      const sandbox = request.sandbox!;
      return streams.answer(
        reply,
        sandbox,
        async over => {
          const reader = { ...callOf(request, reply), signal: over };
          const message = readFrame(request.body as Buffer);
          const followed = await begin(message, sandbox, request, reader);
          const keepaliveMs = secondsIn(request, 'keepalive-ping-interval');
          return processFrames(followed, endsWithSandbox(sandbox, request, reply), { keepaliveMs });
        },
        error => rpcErrorOf(error, request.log),
      );
    });

  app.get('/health', daemonRoute, async (_, reply) => reply.code(204).send());

  streaming('Start', (message, sandbox, request, reader) =>
    processes.start(sandbox, startRequest(message), timeoutIn(request), reader),
  );
  streaming('Connect', (message, sandbox, _, reader) =>
    processes.follow(sandbox, connectRequest(message).process, reader),
  );
  unary('List', async (_, request, reply) => ({
    processes: await processes.list(request.sandbox!, callOf(request, reply)),
  }));
  unary('SendInput', async (message, request, reply) => {
    const { process, input = {} } = inputRequest(message);
    const data = Buffer.from(input.stdin ?? input.pty ?? '', 'base64');
    await processes.input(request.sandbox!, process, data, callOf(request, reply));
    return {};
  });
  unary('CloseStdin', async (message, request, reply) => {
    await processes.closeInput(request.sandbox!, closeStdinRequest(message).process, callOf(request, reply));
    return {};
  });
  unary('SendSignal', async (message, request, reply) => {
    const { process, signal } = signalRequest(message);
    await processes.signal(request.sandbox!, process, signal, callOf(request, reply));
    return {};
  });
  unary('Update', async (message, request, reply) => {
    const { process, pty } = updateRequest(message);
    if (pty) await processes.resize(request.sandbox!, process, pty.size, callOf(request, reply));
    return {};
  });
  unary('StreamInput', async () => {
    throw new RpcError('unimplemented', 'StreamInput is not supported: send each part by SendInput');
  });
}

/** Of calls of one message; those of streams are told in the stream. */
function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (isGone(error) && request.sandbox) return refuse(reply, gone(request.sandbox.id));
  const { status, body } = rpcErrorOf(error, request.log);
  return reply.code(status).send(body);
}

/** How long a program may run, milliseconds; undefined for as long as its sandbox. */
function timeoutIn({ headers }: FastifyRequest): number | undefined {
  const value = headers['connect-timeout-ms'];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^\d{1,10}$/.test(value))
    throw new RpcError('invalid_argument', 'connect-timeout-ms must be milliseconds');
  return Math.min(Number(value), MOST_MS);
}

function secondsIn({ headers }: FastifyRequest, name: string): number | null {
  const seconds = Number(headers[name]);
  return seconds > 0 ? Math.min(seconds * 1000, MOST_MS) : null;
}
