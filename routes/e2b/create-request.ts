import { type Static, Type } from '@sinclair/typebox';
import { MAX_LIFETIME_MINUTES } from '../../src/schemas/session.ts';
import { closed, Environment } from '../../src/schemas/shapes.ts';
import { validator } from '../../src/schemas/validate.ts';
import { maybe } from './maybe.ts';
import { egressFields, egressOf } from './network.ts';
import { notThere, Refusal } from './refusals.ts';
import type { Wish } from './sandboxes.ts';

/** Seconds that a sandbox lives where a client names none, as their SDKs' own default. */
export const DEFAULT_TIMEOUT_S = 300;
const MAX_TIMEOUT_S = MAX_LIFETIME_MINUTES * 60;

const strings = Type.Record(Type.String(), Type.String());

export const timeout = Type.Integer({ minimum: 0, description: 'Seconds' });

const CreateBody = closed({
  templateID: Type.String({ minLength: 1, maxLength: 256 }),
  metadata: maybe(strings),
  envVars: maybe(Environment),
  timeout: maybe(timeout),
  secure: maybe(Type.Boolean()),
  allow_internet_access: maybe(Type.Boolean()),
  network: maybe(
    closed({
      ...egressFields,
      allowPublicTraffic: maybe(Type.Boolean()),
      maskRequestHost: maybe(Type.String()),
      httpsPorts: maybe(Type.Array(Type.Unknown())),
    }),
  ),
  autoPause: maybe(Type.Boolean()),
  autoPauseMemory: maybe(Type.Boolean()),
  autoResume: maybe(closed({ enabled: Type.Boolean() })),
  mcp: maybe(Type.Unknown()),
  iam: maybe(Type.Unknown()),
  volumeMounts: maybe(Type.Array(Type.Unknown())),
});
type CreateBody = Static<typeof CreateBody>;

const validate = validator(CreateBody);

/** The body of `POST /sandboxes`. @throws {ServiceError | Refusal} */
export function readCreate(body: unknown): Wish {
  const asked = validate(body);
  refuse(asked);
  return {
    template: asked.templateID,
    metadata: asked.metadata ?? {},
    environment: asked.envVars ?? {},
    timeoutSeconds: checkTimeout(asked.timeout ?? DEFAULT_TIMEOUT_S),
    egress: egressOf(asked.allow_internet_access, asked.network ?? {}),
    publicTraffic: asked.network?.allowPublicTraffic ?? true,
  };
}

/** @throws {Refusal} */
export function checkTimeout(seconds: number): number {
  if (seconds > MAX_TIMEOUT_S)
    throw new Refusal(400, `Timeout cannot be greater than ${MAX_TIMEOUT_S / 3600} hours`);
  return seconds;
}

function refuse({ network, ...asked }: CreateBody): void {
  if (asked.autoPause || asked.autoResume?.enabled) throw notThere('Pausing sandboxes is');
  if (asked.volumeMounts?.length) throw notThere('Volumes are');
  if (asked.mcp) throw notThere('The MCP gateway in a sandbox is');
  if (asked.iam) throw notThere('Workload identities are');
  if (network?.maskRequestHost || network?.httpsPorts?.length)
    throw notThere('Asking ports by another name or by TLS (network.maskRequestHost, httpsPorts) is');
}
