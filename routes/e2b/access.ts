import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Admit } from '../../plugins/rate-limit.ts';
import { isSameSecret } from '../../src/same-secret.ts';
import type { Sandbox, Sandboxes } from './sandboxes.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The one that a request at E2B's door is for. */
    sandbox: Sandbox | null;
  }
}

/** Their users inside: there is but one here, who is not root. */
export const USER = 'user';

/** Routes of a sandbox's daemon, which knows no keys. */
export const daemonRoute = { config: { open: true }, schema: { hide: true } };

interface Refused {
  readonly status: number;
  readonly body: object;
}

/** What proves whose a call is: the daemon's token, or where their clients send only the other one, either. */
type Proof = 'access' | 'any';

/**
 * Finds the sandbox of each request of a scope by `E2b-Sandbox-Id`, and has the caller prove by a token that it is theirs. What has
 * ended is answered by 502, by which clients know it.
 */
export function askForSandbox(
  app: FastifyInstance,
  sandboxes: Sandboxes,
  { admit, proof }: { admit: Admit | undefined; proof: Proof },
): void {
  if (!app.hasRequestDecorator('sandbox')) app.decorateRequest('sandbox', null);
  app.addHook('onRequest', async (request, reply) => {
    admit?.(request);
    const refused = enterSandbox(request, sandboxes, proof);
    if (refused) return refuse(reply, refused);
  });
}

/** Null when the request is now for a sandbox; otherwise why it is not. */
export function enterSandbox(request: FastifyRequest, sandboxes: Sandboxes, proof: Proof): Refused | null {
  const { 'e2b-sandbox-id': id, 'x-access-token': access, authorization } = request.headers;
  if (typeof id !== 'string')
    return { status: 400, body: { code: 400, message: 'E2b-Sandbox-Id: missing; it names the sandbox' } };
  const sandbox = sandboxes.lookUp(id);
  if (!sandbox) return gone(id);
  const traffic = proof === 'any' ? request.headers['e2b-traffic-access-token'] : undefined;
  if (!isSameSecret(access, sandbox.token) && !isSameSecret(traffic, sandbox.trafficToken))
    return unauthorized('the access token is missing or wrong');
  const user = userIn(authorization);
  if (user !== USER)
    return unauthorized(`there is no user ${JSON.stringify(user.slice(0, 100))} here, but ${USER}`);
  request.sandbox = sandbox;
  request.owner = sandbox.owner;
  return null;
}

export function gone(sandboxId: string): Refused {
  const message = 'The sandbox was not found';
  return { status: 502, body: { sandboxId: sandboxId.slice(0, 100), message, code: 502 } };
}

function unauthorized(message: string): Refused {
  return { status: 401, body: { code: 401, message } };
}

export function refuse(reply: FastifyReply, { status, body }: Refused): FastifyReply {
  // A stream may have been promised before.
  return reply.code(status).type('application/json').send(body);
}

/** Clients name who is to run what as a user of HTTP's without a password. */
function userIn(authorization = ''): string {
  const basic = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization)?.[1];
  if (basic === undefined) return USER;
  return Buffer.from(basic, 'base64').toString('utf8').replace(/:.*$/s, '') || USER;
}
