import { Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { validator } from '../../src/schemas/validate.ts';
import type { Service } from '../../src/service/service.ts';
import { callOf } from '../call.ts';
import { daemonRoute } from './access.ts';
import { endFrame, messageFrame, RpcError, readFrame } from './connect-protocol.ts';
import { Handover } from './handover.ts';
import { StreamCut } from './process-streams.ts';
import { rpcErrorOf } from './rpc-errors.ts';
import type { Streams } from './streams.ts';
import { keepaliveIn, timeoutIn } from './timing.ts';
import { unaryCalls } from './unary.ts';
import { Watchers, type WatchRequest } from './watchers.ts';
import { withSilences } from './with-silences.ts';

const watchRequest = validator(
  Type.Object({
    path: Type.Optional(Type.String({ maxLength: 4096, pattern: '^[^\\u0000]*$' })),
    recursive: Type.Optional(Type.Boolean()),
    includeEntry: Type.Optional(Type.Boolean()),
    // Nothing here is mounted from a network.
    allowNetworkMounts: Type.Optional(Type.Boolean()),
  }),
);
const watcherRequest = validator(Type.Object({ watcherId: Type.String() }));

const TIMED_OUT = new RpcError('deadline_exceeded', 'the directory was watched for as long as was asked for');

/** The calls of the daemon that watch directories. */
export function watchRoutes(app: FastifyInstance, service: Service, streams: Streams): void {
  const watchers = new Watchers(service);
  const unary = unaryCalls(app, 'filesystem.Filesystem');

  app.post('/filesystem.Filesystem/WatchDir', daemonRoute, (request, reply) => {
    const sandbox = request.sandbox!;
    return streams.answer(
      reply,
      sandbox,
      async over => {
        const asked = readWatch(readFrame(request.body));
        const until = untilTimeout(over, request);
        const events = new Handover<object | RpcError>(until.signal);
        const call = { ...callOf(request, reply), signal: over };
        await watchers.open(sandbox, asked, call, { until: until.signal, tell: event => events.give(event) });
        return watchFrames(events, keepaliveIn(request), over);
      },
      error => rpcErrorOf(error, request.log),
    );
  });
  unary('CreateWatcher', async (message, sandbox, call) => ({
    watcherId: await watchers.create(sandbox, readWatch(message), call),
  }));
  unary('GetWatcherEvents', async (message, sandbox) => ({
    events: await watchers.take(sandbox, watcherRequest(message).watcherId),
  }));
  unary('RemoveWatcher', async (message, sandbox) => {
    watchers.remove(sandbox, watcherRequest(message).watcherId);
    return {};
  });
}

function readWatch(message: unknown): WatchRequest {
  const { path = '', recursive = false, includeEntry = false } = watchRequest(message);
  return { path, recursive, includeEntry };
}

/** Aborted with the stream, or at its timeout. */
function untilTimeout(over: AbortSignal, request: FastifyRequest): AbortController {
  const until = new AbortController();
  const timeoutMs = timeoutIn(request);
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => until.abort(), timeoutMs);
  over.addEventListener('abort', () => {
    clearTimeout(timer);
    until.abort();
  });
  return until;
}

/** @throws {StreamCut} what is watched is gone with its sandbox */
async function* watchFrames(
  events: AsyncIterable<object | RpcError>,
  keepaliveMs: number | null,
  over: AbortSignal,
): AsyncGenerator<Buffer> {
  yield messageFrame({ start: {} });
  for await (const event of withSilences(events, keepaliveMs)) {
    if (event === null) yield messageFrame({ keepalive: {} });
    else if (!(event instanceof RpcError)) yield messageFrame({ filesystem: event });
    else if (event.code === 'unavailable') throw new StreamCut();
    else return yield endFrame(event);
  }
  if (!over.aborted) yield endFrame(TIMED_OUT);
}
