import { randomUUID } from 'node:crypto';
import { createMcpHandler, McpServer, type Server } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import { AnswerRoom } from '../../src/rpc/answer-room.ts';
import { LIMITS } from '../../src/schemas/limits.ts';
import { Places } from '../../src/service/admission/places.ts';
import type { Call } from '../../src/service/call.ts';
import { onceClosed } from '../../src/wire/once-closed.ts';
import { callOf } from '../call.ts';
import { answer } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { connectionOf, isAnswer, isRequest, isStream, type Message, readMessage } from './message.ts';
import { Outflow } from './outflow.ts';
import { RunningCalls } from './running-calls.ts';
import type { Protocol } from './serve.ts';
import { webRequest } from './web-request.ts';

/** What is served behind the protocol's HTTP. */
export interface Served {
  serverFor(exchange: Exchange): Server | McpServer;
  /** Ends what a connection keeps; its client says that it will not come back. */
  leave(connection: string, call: Call): Promise<unknown>;
}

/**
 * Serves requests of the protocol: `initialize` and what follows it (2025-11-25 and older) as well as single requests (2026-07-28). A
 * connection of the older kind has a name and no state here, so that it outlives this server.
 */
export function protocolOf({ serverFor, leave }: Served, log: FastifyBaseLogger): Protocol {
  /** By the request as the protocol's library has it. */
  const exchanges = new WeakMap<Request, Exchange>();
  const servers = new WeakMap<Exchange, Server>();
  const running = new RunningCalls();
  const rooms = new AnswerRoom();
  const streams = new Places('event streams', LIMITS.eventStreams);
  const handler = createMcpHandler(
    ({ requestInfo }) => {
      const exchange = exchanges.get(requestInfo!)!;
      const server = serverFor(exchange);
      servers.set(exchange, server instanceof McpServer ? server.server : server);
      return server;
    },
    { onerror: err => log.debug({ err }, 'MCP') },
  );

  /** What a request needs until its answer has been sent. */
  const begin = (request: FastifyRequest, reply: FastifyReply, message: Message): Exchange => {
    const call = callOf(request, reply);
    const connection = connectionOf(request);
    const cancelled = new AbortController();
    const exchange: Exchange = {
      call: { ...call, signal: AbortSignal.any([call.signal, cancelled.signal]) },
      gone: call.signal,
      connection,
      outflow: new Outflow(),
      room: rooms.open(),
    };
    const end =
      connection !== null &&
      isRequest(message) &&
      running.begin(connection, call, message.id, {
        cancel: () => cancelled.abort(),
        take: given => servers.get(exchange)?.transport?.onmessage?.(given as never),
      });
    onceClosed(reply.raw, () => {
      if (end) end();
      exchange.room.close();
      exchange.outflow.close();
    });
    return exchange;
  };

  const post = async (request: FastifyRequest<{ Body: string | undefined }>, reply: FastifyReply) => {
    const message = readMessage(request.body);
    const exchange = begin(request, reply, message);
    const { connection, call } = exchange;
    if (isStream(message)) onceClosed(reply.raw, streams.enter(call.client));
    const asked = webRequest(request, exchange.gone);
    exchanges.set(asked, exchange);
    const response = await handler.fetch(asked, { parsedBody: message });
    if (response.ok && connection !== null) {
      if (message.method === 'notifications/cancelled')
        running.cancel(connection, call, message.params?.requestId);
      if (isAnswer(message)) running.answer(connection, call, message);
    }
    if (response.ok && message.method === 'initialize') reply.header('mcp-session-id', randomUUID());
    return answer(response, reply, exchange.outflow);
  };

  const other = async (request: FastifyRequest, reply: FastifyReply) => {
    const call = callOf(request, reply);
    const connection = connectionOf(request);
    if (request.method === 'DELETE' && connection !== null) {
      await leave(connection, call);
      return reply.code(204).send();
    }
    // There is no stream to wait on for what nobody asked for, and nothing else to end: refused there.
    return answer(await handler.fetch(webRequest(request, call.signal)), reply, new Outflow());
  };
  return { post, other, close: () => handler.close() };
}
