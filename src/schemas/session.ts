import { type Static, Type } from '@sinclair/typebox';
import { ImageReference } from './image-reference.ts';
import { closed, Environment, oneOf, Timestamp } from './shapes.ts';

export const RuntimePreference = oneOf(['Speed', 'Security', 'Memory', 'Balanced']);
export type RuntimePreference = Static<typeof RuntimePreference>;

export const RuntimeType = oneOf(['Docker', 'Deno', 'Bun', 'NodeJs', 'Python', 'Go']);
export type RuntimeType = Static<typeof RuntimeType>;

/** A comma would make two of one, in Deno's flags. */
const permitted = Type.String({ minLength: 1, maxLength: 4096, pattern: '^[^,\\u0000]+$' });
const permission = Type.Optional(Type.Union([Type.Boolean(), Type.Array(permitted, { maxItems: 100 })]));

export const SessionConfig = closed({
  language: Type.String({ minLength: 1, maxLength: 64, description: 'Name or alias' }),
  runtimePreference: Type.Optional(RuntimePreference),
  runtimeType: Type.Optional(Type.String({ description: 'Forces a runtime; case does not matter' })),
  dockerImage: Type.Optional(ImageReference),
  idleTimeoutMinutes: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 10_080, default: 30 })),
  maxLifetimeMinutes: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 10_080, default: 120 })),
  memoryLimitMB: Type.Optional(Type.Integer({ minimum: 32, default: 512 })),
  cpuShares: Type.Optional(
    Type.Integer({ minimum: 2, maximum: 65_536, default: 1024, description: '1024 is one core' }),
  ),
  persistFilesystem: Type.Optional(
    Type.Boolean({ default: true, description: 'false: /workspace is emptied after each command' }),
  ),
  environment: Type.Optional(Environment),
  metadata: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), { description: 'Comes back as it was given' }),
  ),
  networkEnabled: Type.Optional(Type.Boolean({ default: false, description: 'true is not supported yet' })),
  permissions: Type.Optional(
    closed(
      { allowRead: permission, allowWrite: permission, allowNet: permission, allowEnv: permission },
      'Deno only',
    ),
  ),
});
export type SessionConfig = Static<typeof SessionConfig>;

export const SessionState = oneOf(['Creating', 'Active', 'Idle', 'Closing', 'Closed']);
export type SessionState = Static<typeof SessionState>;

export const SessionInfo = Type.Object({
  sessionId: Type.String(),
  environmentId: Type.String(),
  containerId: Type.String({ description: 'Repeats environmentId for old clients' }),
  runtimeType: RuntimeType,
  language: Type.String(),
  state: SessionState,
  createdAt: Timestamp,
  lastActivity: Timestamp,
  executionCount: Type.Integer({ description: 'Counts commands' }),
  idleMinutes: Type.Number(),
  lifetimeMinutes: Type.Number(),
  config: Type.Unsafe<SessionConfig>(
    Type.Object(
      {},
      { additionalProperties: true, description: 'The SessionConfig with its defaults filled in' },
    ),
  ),
});
export type SessionInfo = Static<typeof SessionInfo>;

export const SessionList = Type.Object({ count: Type.Integer(), sessions: Type.Array(SessionInfo) });
export type SessionList = Static<typeof SessionList>;

export const SessionClosed = Type.Object({ sessionId: Type.String(), closed: Type.Boolean() });
