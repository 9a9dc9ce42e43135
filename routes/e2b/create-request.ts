import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { MAX_LIFETIME_MINUTES } from '../../src/schemas/session.ts';
import { closed, Environment } from '../../src/schemas/shapes.ts';
import { validator } from '../../src/schemas/validate.ts';
import { notThere, Refusal } from './refusals.ts';
import type { Wish } from './sandboxes.ts';

/** Seconds that a sandbox lives where a client names none, as their SDKs' own default. */
export const DEFAULT_TIMEOUT_S = 300;
const MAX_TIMEOUT_S = MAX_LIFETIME_MINUTES * 60;

/** Clients of Python write null for what they leave out. */
const maybe = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]));
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
      allowOut: maybe(Type.Array(Type.String())),
      denyOut: maybe(Type.Array(Type.String())),
      allowPublicTraffic: maybe(Type.Boolean()),
      maskRequestHost: maybe(Type.String()),
      rules: maybe(Type.Unknown()),
      egressProxy: maybe(Type.Unknown()),
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

/**
 * The body of `POST /sandboxes`. Clients ask for the internet by default, so that this is no reason to refuse: their sandboxes have none.
 * @throws {ServiceError | Refusal}
 */
export function readCreate(body: unknown): Wish {
  const asked = validate(body);
  refuse(asked);
  return {
    template: asked.templateID,
    metadata: asked.metadata ?? {},
    environment: asked.envVars ?? {},
    timeoutSeconds: checkTimeout(asked.timeout ?? DEFAULT_TIMEOUT_S),
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
  if (network?.allowOut?.length) throw notThere('A network (network.allowOut) is');
  if (network?.rules || network?.maskRequestHost || network?.egressProxy)
    throw notThere('Rules for requests of sandboxes (network.rules, maskRequestHost, egressProxy) are');
}
