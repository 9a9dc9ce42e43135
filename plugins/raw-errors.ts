import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from './errors.ts';
import { problem, problemOf } from './problem.ts';
import { mayTakeTime } from './unhurried.ts';

/** Answers errors raised before a route was found, e.g. a path with a broken escape. */
export function answerFrameworkError(error: FastifyError, { id }: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', id);
  sendProblem(reply, problemOf(error) ?? problem('VALIDATION_ERROR', error.message));
}

/** Answers what is not an HTTP request, on the raw socket. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (mayTakeTime(error, socket)) return;
  if (error.code === 'ECONNRESET' || !socket.writable || socket.destroyed) return void socket.destroy();
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const body = JSON.stringify(problem('VALIDATION_ERROR', 'This is no HTTP request').body);
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
