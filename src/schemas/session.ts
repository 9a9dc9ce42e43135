import { type Static, Type } from '@sinclair/typebox';
import { ImageReference } from './image-reference.ts';
import { LIMITS } from './limits.ts';
import { NetworkRules } from './network.ts';
import { PackageList } from './packages.ts';
import { closed, Environment, nullable, oneOf, SessionId, timestamp } from './shapes.ts';

export const RuntimePreference = oneOf(
  ['Speed', 'Security', 'Memory', 'Balanced'],
  'What the runtime is picked by: least start-up time, highest isolation, least memory, or all of them (the default)',
);
export type RuntimePreference = Static<typeof RuntimePreference>;

export const RuntimeType = oneOf(['Docker', 'Deno', 'Bun', 'NodeJs', 'Python', 'Go'], 'What runs it');
export type RuntimeType = Static<typeof RuntimeType>;

/** A runtime as a request names it. */
export const RuntimeName = Type.String({ description: 'Forces a runtime; case does not matter' });

/** A comma would make two of one, in Deno's flags. */
const permission = (pattern: string, description: string) =>
  Type.Optional(
    Type.Union(
      [
        Type.Boolean(),
        Type.Array(Type.String({ minLength: 1, maxLength: 4096, pattern }), { maxItems: 100, description }),
      ],
      { description: `${description}; true: all, false: none` },
    ),
  );
const paths = permission('^(?![A-Za-z][A-Za-z0-9+.-]*://)[^,\\u0000]+$', 'Paths, which are no URLs');

/** Longest time that a session can be given, and that it may be idle. */
export const MAX_LIFETIME_MINUTES = 10_080;

export const SessionConfig = closed(
  {
    language: Type.String({ minLength: 1, maxLength: 64, description: 'Name or alias' }),
    runtimePreference: Type.Optional(RuntimePreference),
    runtimeType: Type.Optional(RuntimeName),
    dockerImage: Type.Optional(ImageReference),
    idleTimeoutMinutes: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: MAX_LIFETIME_MINUTES,
        default: LIMITS.idleTimeoutMinutes,
        description: 'It ends after so long without a call or a running command',
      }),
    ),
    maxLifetimeMinutes: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: MAX_LIFETIME_MINUTES,
        default: LIMITS.maxLifetimeMinutes,
        description: 'It ends after so long in any case',
      }),
    ),
    memoryLimitMB: Type.Optional(
      Type.Integer({
        minimum: LIMITS.minMemoryMB,
        default: LIMITS.memoryMB,
        description: 'MB, of all that runs in it and of its files',
      }),
    ),
    cpuShares: Type.Optional(
      Type.Integer({
        minimum: 2,
        maximum: 65_536,
        default: LIMITS.sharesPerCore,
        description: '1024 is one core',
      }),
    ),
    persistFilesystem: Type.Optional(
      Type.Boolean({ default: true, description: 'false: /workspace is emptied after each command' }),
    ),
    environment: Type.Optional(Environment),
    metadata: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'Comes back as it was given' }),
    ),
    packages: Type.Optional(PackageList),
    networkEnabled: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'true without `network`: programs may connect to all that the operator allows',
      }),
    ),
    network: Type.Optional(NetworkRules),
    permissions: Type.Optional(
      closed(
        {
          allowRead: paths,
          allowWrite: paths,
          allowNet: permission('^[^,\\u0000]+$', 'Hosts, of those that `network` allows'),
          allowEnv: permission('^[^,=\\u0000]+$', 'Names of variables'),
        },
        'Deno only',
      ),
    ),
  },
  'What a session is to have',
);
export type SessionConfig = Static<typeof SessionConfig>;

export const SessionState = oneOf(
  ['Active', 'Idle', 'Closing', 'Closed'],
  'Active when it is made and while a command runs, Idle after one',
);
export type SessionState = Static<typeof SessionState>;

export const SessionInfo = Type.Object(
  {
    sessionId: SessionId,
    environmentId: Type.String({ description: 'Names its sandbox' }),
    containerId: Type.String({ description: 'Repeats environmentId for old clients' }),
    runtimeType: RuntimeType,
    language: Type.String({ description: 'Name of its language, whatever alias the request had' }),
    state: SessionState,
    createdAt: timestamp('When it was made'),
    lastActivity: timestamp('When it was last used'),
    executionCount: Type.Integer({ description: 'Counts commands' }),
    idleMinutes: Type.Number({ description: 'Since it was last used; 0 while a command runs' }),
    lifetimeMinutes: Type.Number({ description: 'Since it was made' }),
    config: Type.Unsafe<SessionConfig>(
      Type.Object(
        {},
        { additionalProperties: true, description: 'The SessionConfig with its defaults filled in' },
      ),
    ),
  },
  { description: 'A session and how it is' },
);
export type SessionInfo = Static<typeof SessionInfo>;

/** Sessions on one page of a list; a page ends earlier where it would become large. */
export const MAX_PAGE_SESSIONS = 1000;
/** `nextCursor` as it was given. */
export const Cursor = Type.String({ pattern: '^\\d{1,15}$', description: 'nextCursor of the page before' });

export const SessionList = Type.Object(
  {
    count: Type.Integer({ description: 'All there are, on whatever page' }),
    sessions: Type.Array(SessionInfo, {
      description: 'In the order they were made; their config comes without environment',
    }),
    nextCursor: nullable(Type.String({ description: 'For the next page; null when this is the last one' })),
  },
  { description: "A page of the caller's sessions" },
);
export type SessionList = Static<typeof SessionList>;

export const SessionClosed = Type.Object(
  { sessionId: SessionId, closed: Type.Boolean({ description: 'Always true' }) },
  { description: 'A session that has ended' },
);
