import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { CallLog } from '../src/call-log.ts';
import { ServiceError } from '../src/errors.ts';
import { sendBody, takeBody } from '../src/network/egress/port-frames.ts';
import { answerOn, type PortAnswer } from '../src/network/port-answer.ts';
import { portOfSession } from '../src/port-names.ts';
import { isSameSecret } from '../src/same-secret.ts';
import type { PortLead, Ports } from '../src/service/service.ts';
import type { Keys } from './api-keys.ts';
import { headersForPort, headersOfPort, TOKEN_HEADERS } from './port-headers.ts';
import type { PortHandler } from './port-server.ts';
import { refusalAt } from './port-words.ts';
import { problem } from './problem.ts';
import { tokenBuckets } from './rate-limit.ts';

/**
 * Requests to one port, or all of a session that has them reached by its id, from one address that are refused for want of its token or a key
 * as such; more are told to wait. Those who have either never are: who shares their address, as all behind a proxy do, locks nobody out. Guesses
 * are bounded by what they cost, a connection each, as no bound can tell an owner from a guesser before the key is looked at.
 */
const REFUSED_PER_SECOND = 32;
/** That a client may say nothing once a program has said all, milliseconds. */
const LINGER_MS = 30_000;

/**
 * Passes requests on to what listens on sandboxes' ports, and answers back. Beside the session's owner everybody needs what is in the name, and
 * the token unless the port is public. Nothing of the API is served here, and no page from here is one of its origin.
 */
export function portDoor(
  ports: Pick<Ports, 'find'>,
  { keys, log }: { keys: Keys; log: CallLog },
): PortHandler {
  const take = tokenBuckets(REFUSED_PER_SECOND);
  return async (label, request, response, upgrade) => {
    response.on('error', () => {});
    try {
      const lead = ports.find(label);
      if (typeof lead === 'string') return refuse(response, ...refusalAt(label, lead));
      if (!isLetIn(lead, request.headers) && !isOwner(lead, request.headers, keys)) {
        const name = portOfSession(label)?.sessionId ?? label;
        const wait = take(`${name} ${request.socket.remoteAddress}`, performance.now() / 1000);
        if (wait === 0) return refuse(response, ...refusalAt(label, 'closed'));
        const error = 'Too many were refused here; try again later';
        return refuse(response, 429, { error }, Math.ceil(wait));
      }
      await pass(lead, request, response, { keys, upgrade, label });
    } catch (error) {
      if (!(error instanceof ServiceError)) {
        log.error({ err: error }, 'a request to a port failed');
        response.destroy();
      } else {
        const { status } = problem(error.code, '');
        refuse(response, status, { error: error.message }, error.retryAfter);
      }
    }
  };
}

function isLetIn({ isPublic, token }: PortLead, headers: IncomingHttpHeaders): boolean {
  return isPublic || TOKEN_HEADERS.some(name => isSameSecret(headers[name], token));
}

function isOwner({ owner }: PortLead, headers: IncomingHttpHeaders, keys: Keys): boolean {
  return owner !== null && keys.ownerOf(headers) === owner;
}

async function pass(
  lead: PortLead,
  request: IncomingMessage,
  response: ServerResponse,
  { keys, upgrade, label }: { keys: Keys; upgrade: { socket: Socket; head: Buffer } | null; label: string },
): Promise<void> {
  const { method = 'GET', url: path = '/', rawHeaders } = request;
  const { port } = lead;
  const isUpgrade = upgrade !== null;
  const headers = headersForPort({
    method,
    rawHeaders,
    port,
    upgrade: isUpgrade,
    isKey: value => keys.holds(value),
  });
  const socket = await lead.request({ method, path, headers, upgrade: isUpgrade });
  const end = () => socket.destroy();
  (upgrade?.socket ?? response).once('close', end);
  if ((upgrade?.socket ?? response).destroyed) end();
  if (!isUpgrade) void sendAll(request, socket);
  const answer = await answerOn(socket);
  if (typeof answer === 'string') return refuse(response, ...refusalAt(label, answer));
  if (upgrade && answer.head.status === 101) return switched(upgrade, { socket, answer, response });
  if (upgrade) {
    // A client that has ended its half tells nothing else when it goes.
    if (upgrade.socket.readableEnded) end();
    upgrade.socket.once('end', end).resume();
  }
  const { status, reason, headers: raw } = answer.head;
  try {
    response.writeHead(status, reason, headersOfPort(raw));
  } catch {
    end();
    // It may be what was wrong, and stays otherwise.
    response.statusMessage = '';
    return refuse(response, ...refusalAt(label, 'malformed'));
  }
  const whole = await takeBody(answer.body, response).catch(() => false);
  if (whole) response.end();
  else response.destroy();
}

/** What nobody takes is read nevertheless, and dropped: a client whose connection ends while it speaks may never see what it was answered. */
async function sendAll(from: IncomingMessage | Socket, socket: Socket): Promise<void> {
  try {
    await sendBody(from.iterator({ destroyOnReturn: false }), socket);
  } catch {
    socket.destroy();
  } finally {
    from.resume();
  }
}

/** Both ways from here on, as it is. */
async function switched(
  { socket: client, head }: { socket: Socket; head: Buffer },
  { socket, answer, response }: { socket: Socket; answer: PortAnswer; response: ServerResponse },
): Promise<void> {
  const { reason, headers } = answer.head;
  const upgrade = headers.find((_, i) => i % 2 === 1 && headers[i - 1]!.toLowerCase() === 'upgrade') ?? '';
  const all = [...headersOfPort(headers), 'Connection', 'Upgrade', 'Upgrade', upgrade];
  if ([reason, ...all].some(text => /[\r\n\0]/.test(text))) return void client.destroy();
  response.detachSocket(client);
  const lines = all.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}`] : []));
  client.write(
    Buffer.from(`HTTP/1.1 101 ${reason || 'Switching Protocols'}\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1'),
  );
  if (head.length > 0) client.unshift(head);
  const forth = sendAll(client, socket);
  const whole = await takeBody(answer.body, client).catch(() => false);
  if (whole) client.end().setTimeout(LINGER_MS, () => client.destroy());
  else client.destroy();
  await forth;
}

function refuse(response: ServerResponse, status: number, said: object, retryAfter?: number): void {
  if (response.headersSent) return void response.destroy();
  const body = JSON.stringify(said);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'",
    'x-content-type-options': 'nosniff',
    connection: 'close',
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
  });
  response.end(body);
}
