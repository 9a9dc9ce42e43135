import type { FastifyInstance, FastifyRequest } from 'fastify';
import { callOf } from '../call.ts';
import { askForSandbox, daemonRoute } from './access.ts';
import { RpcError, readFrame } from './connect-protocol.ts';
import { endingOf } from './ending.ts';
import { filesystemRoutes } from './filesystem.ts';
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
import { rpcErrorOf } from './rpc-errors.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { Sandbox } from './sandboxes.ts';
import { keepaliveIn, timeoutIn } from './timing.ts';
import { answerRpcError, unaryCalls } from './unary.ts';
import { watchRoutes } from './watch-routes.ts';

/** Most bytes of a call's message. A start may have a command line and an environment as long as a program can be given. */
const MESSAGE_BYTES = 8 * 1024 * 1024;

/** The calls of the daemon in a sandbox, but for the content of files. */
export function daemonRoutes(
  app: FastifyInstance,
  { service, sandboxes, admit, streams }: SandboxParts,
): void {
  const processes = new Processes(service);
  const isEnding = endingOf(service, sandboxes);
  askForSandbox(app, sandboxes, { admit, proof: 'access' });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/connect+json', 'application/json'],
    { parseAs: 'buffer', bodyLimit: MESSAGE_BYTES },
    (_, body, done) => done(null, body),
  );
  app.setErrorHandler(answerRpcError);

  const unary = unaryCalls(app, 'process.Process');
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
          const message = readFrame(request.body);
          const followed = await begin(message, sandbox, request, reader);
          return processFrames(followed, () => isEnding(sandbox, reader), keepaliveIn(request));
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
  unary('List', async (_, sandbox, call) => ({ processes: await processes.list(sandbox, call) }));
  unary('SendInput', async (message, sandbox, call) => {
    const { process, input = {} } = inputRequest(message);
    await processes.input(sandbox, process, Buffer.from(input.stdin ?? input.pty ?? '', 'base64'), call);
    return {};
  });
  unary('CloseStdin', async (message, sandbox, call) => {
    await processes.closeInput(sandbox, closeStdinRequest(message).process, call);
    return {};
  });
  unary('SendSignal', async (message, sandbox, call) => {
    const { process, signal } = signalRequest(message);
    await processes.signal(sandbox, process, signal, call);
    return {};
  });
  unary('Update', async (message, sandbox, call) => {
    const { process, pty } = updateRequest(message);
    if (pty) await processes.resize(sandbox, process, pty.size, call);
    return {};
  });
  unary('StreamInput', async () => {
    throw new RpcError('unimplemented', 'StreamInput is not supported: send each part by SendInput');
  });
  filesystemRoutes(app, service);
  watchRoutes(app, service, streams);
}
