import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { FormatRegistry, type Static, type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { isLoopback } from './loopback.ts';
import { nearest } from './nearest.ts';
import { isBlockRule, isCeiling, isResolver } from './network-rules/settings.ts';
import { fitsSome } from './schemas/image-reference.ts';
import { RuntimeType } from './schemas/session.ts';
import { oneOf } from './schemas/shapes.ts';

/**
 * Everything that can be set from outside: one schema, read from environment variables once, at the start. An
 * unknown `CODEBEAKER_*` name or a bad value stops the start with a sentence. Imports: schemas.
 */

/** Node fires a timer that is set for longer at once. */
const MAX_TIMER_SECONDS = 2_147_483;

FormatRegistry.Set('image-pattern', fitsSome);
FormatRegistry.Set('network-ceiling', isCeiling);
FormatRegistry.Set('network-block', isBlockRule);
FormatRegistry.Set('resolver', isResolver);

/** Widest value that the meanings beside it are aligned to, characters. */
const COLUMNS = 48;

/** Doors for clients of other services; `none` for none of them. */
const OtherDoor = oneOf(['e2b', 'judge0', 'jupyter', 'mcp', 'piston', 'none']);
export type OtherDoor = Exclude<Static<typeof OtherDoor>, 'none'>;

/** Marks values that are not printed. */
const SECRET = { secret: true };
const env = <T extends TSchema>(name: string, schema: T): T => Object.assign(schema, { env: name });
const count = (options: { default?: number; minimum?: number; maximum?: number; description: string }) =>
  Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, ...options });
const KEY = Type.String({ pattern: '^[\\x21-\\x7e]+$', description: 'made of visible ASCII characters' });
const list = <T extends TSchema>(items: T, description: string, more = {}) =>
  Type.Unsafe<Static<T>[]>(Type.Array(items, { default: [], description, ...more }));

export const Config = Type.Object({
  host: env('HOST', Type.String({ default: '127.0.0.1', minLength: 1, description: 'Address to listen on' })),
  port: env('PORT', count({ default: 5039, minimum: 0, maximum: 65_535, description: '0 picks a free one' })),
  logLevel: env(
    'LOG_LEVEL',
    Type.Unsafe<'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'>({
      ...oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
      default: 'info',
      description: 'What is logged, from little to much: fatal, error, warn, info, debug, trace; or silent',
    }),
  ),
  dataDir: env(
    'CODEBEAKER_DATA_DIR',
    Type.String({ minLength: 1, description: 'Everything the service keeps; locked by one server' }),
  ),
  runtimes: env(
    'CODEBEAKER_RUNTIMES',
    Type.Optional(
      list(RuntimeType, 'Runtimes to offer; default: all that are available', {
        default: undefined,
      }),
    ),
  ),
  maxSessions: env('CODEBEAKER_MAX_SESSIONS', count({ default: 1000, description: 'Sessions open at once' })),
  maxConcurrency: env(
    'CODEBEAKER_MAX_CONCURRENCY',
    count({ description: 'One-shots and cells running at once; default: 8 per core' }),
  ),
  maxQueue: env(
    'CODEBEAKER_MAX_QUEUE',
    count({ default: 10_000, minimum: 0, description: 'One-shots and cells waiting' }),
  ),
  rateLimit: env(
    'CODEBEAKER_RATE_LIMIT',
    Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Requests a second per client' })),
  ),
  maxTimeoutSeconds: env(
    'CODEBEAKER_MAX_TIMEOUT_SECONDS',
    Type.Number({
      default: 300,
      exclusiveMinimum: 0,
      maximum: MAX_TIMER_SECONDS,
      description: 'Highest timeout a client may ask',
    }),
  ),
  maxMemoryMB: env(
    'CODEBEAKER_MAX_MEMORY_MB',
    count({ default: 2048, minimum: 32, description: 'Highest memory limit a client may ask' }),
  ),
  maxOutputBytes: env(
    'CODEBEAKER_MAX_OUTPUT_BYTES',
    count({
      default: 1_048_576,
      maximum: 67_108_864,
      description: 'Kept of each of stdout and stderr',
    }),
  ),
  maxStreamBytes: env(
    'CODEBEAKER_MAX_STREAM_BYTES',
    count({ description: 'A stream longer than this ends the program; default: 64 times that' }),
  ),
  drainSeconds: env(
    'CODEBEAKER_DRAIN_SECONDS',
    Type.Number({
      default: 10,
      minimum: 0,
      maximum: 86_400,
      description: 'How long a shutdown lets what runs go on',
    }),
  ),
  replayBytes: env(
    'CODEBEAKER_REPLAY_BYTES',
    count({ default: 1_048_576, description: 'Events kept per session for session.attach' }),
  ),
  retentionHours: env(
    'CODEBEAKER_RETENTION_HOURS',
    Type.Number({ default: 168, exclusiveMinimum: 0, description: 'How long results are kept' }),
  ),
  maxExecutions: env(
    'CODEBEAKER_MAX_EXECUTIONS',
    count({ default: 100_000, description: 'How many results are kept' }),
  ),
  maxStoreBytes: env(
    'CODEBEAKER_MAX_STORE_BYTES',
    count({ default: 4_294_967_296, description: 'What results may take on disk; the oldest go first' }),
  ),
  poolSize: env(
    'CODEBEAKER_POOL_SIZE',
    Type.Optional(count({ minimum: 0, maximum: 1000, description: 'Warm sandboxes; default: adaptive' })),
  ),
  fork: env(
    'CODEBEAKER_FORK',
    Type.Unsafe<'on' | 'off'>({
      ...oneOf(['on', 'off']),
      default: 'on',
      description: 'Local sandboxes are forked from one that is ready; off: each is started by bubblewrap',
    }),
  ),
  packages: env(
    'CODEBEAKER_PACKAGES',
    Type.Unsafe<'on' | 'off'>({
      ...oneOf(['on', 'off']),
      default: 'on',
      description: 'Clients may have packages installed, from the index below and nowhere else',
    }),
  ),
  packagesBytes: env(
    'CODEBEAKER_PACKAGES_BYTES',
    count({
      default: 10_737_418_240,
      description: 'What installed packages may take on disk; those longest unused go first',
    }),
  ),
  packagesTtlSeconds: env(
    'CODEBEAKER_PACKAGES_TTL_SECONDS',
    count({
      default: 3600,
      minimum: 0,
      description: 'How long a list that pins no versions means the ones it meant first',
    }),
  ),
  packagesMinAgeDays: env(
    'CODEBEAKER_PACKAGES_MIN_AGE_DAYS',
    count({
      default: 0,
      minimum: 0,
      maximum: 36_500,
      description: 'Versions that were published later than this are hidden',
    }),
  ),
  packagesDeny: env(
    'CODEBEAKER_PACKAGES_DENY',
    list(
      Type.String({
        pattern: '^@?[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*$',
        description: 'the name of a package',
      }),
      'Packages that nobody may install',
    ),
  ),
  indexPython: env(
    'CODEBEAKER_INDEX_PYTHON',
    Type.Optional(
      Type.String({
        pattern: '^https?://\\S+$',
        description:
          "An index such as https://pypi.org/simple/; default: what this machine's pip is set to use",
        ...SECRET,
      }),
    ),
  ),
  indexNode: env(
    'CODEBEAKER_INDEX_NODE',
    Type.Optional(
      Type.String({
        pattern: '^https?://\\S+$',
        description:
          "A registry such as https://registry.npmjs.org/; default: what this machine's npm is set to use",
        ...SECRET,
      }),
    ),
  ),
  indexGo: env(
    'CODEBEAKER_INDEX_GO',
    Type.Optional(
      Type.String({
        pattern: '^https?://\\S+$',
        description:
          "A module proxy such as https://proxy.golang.org/; default: what this machine's go is set to use",
        ...SECRET,
      }),
    ),
  ),
  caFile: env(
    'CODEBEAKER_CA_FILE',
    Type.Optional(
      Type.String({ minLength: 1, description: "Certificates to trust beside the system's, in PEM" }),
    ),
  ),
  network: env(
    'CODEBEAKER_NETWORK',
    list(
      Type.String({
        format: 'network-ceiling',
        description:
          'off, public, or a rule such as pypi.org, *.example:8443 or 203.0.113.0/24, with ! before it to deny',
      }),
      'Where clients may let programs connect: off, public (all that is not private), or a list of rules',
      { default: ['off'] },
    ),
  ),
  networkPrivate: env(
    'CODEBEAKER_NETWORK_PRIVATE',
    list(
      Type.String({
        format: 'network-block',
        description: 'an address or a block of them such as 10.1.0.0/16:5432; without a port, 80 and 443',
      }),
      'Private addresses that may be reached all the same',
    ),
  ),
  networkResolvers: env(
    'CODEBEAKER_NETWORK_RESOLVERS',
    list(
      Type.String({ format: 'resolver', description: 'an address, with a port if it is not 53' }),
      "Where programs' names are looked up; default: as this machine does",
    ),
  ),
  networkBytes: env(
    'CODEBEAKER_NETWORK_BYTES',
    count({ default: 1_073_741_824, description: 'What one run or session may receive and send in all' }),
  ),
  networkBytesPerSecond: env(
    'CODEBEAKER_NETWORK_BYTES_PER_SECOND',
    count({ default: 33_554_432, minimum: 1024, description: 'The same in a second' }),
  ),
  egressProxy: env(
    'CODEBEAKER_EGRESS_PROXY',
    Type.Optional(
      Type.String({
        pattern: '^https?://[^\\s/]+/?$',
        description:
          'an HTTP proxy such as http://user:password@proxy:3128, which programs’ connections go through',
        ...SECRET,
      }),
    ),
  ),
  portOrigin: env(
    'CODEBEAKER_PORT_DOMAIN',
    Type.Optional(
      Type.String({
        pattern: '^https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\\d{1,5})?/?$',
        description:
          "such as https://ports.example.com, below which every name leads here; default: http://localhost at the server's port",
      }),
    ),
  ),
  images: env(
    'CODEBEAKER_IMAGES',
    list(
      Type.String({
        format: 'image-pattern',
        description: 'the name of an image such as registry.example/name:tag, with * for any part',
      }),
      'Container images that may be used',
      { default: ['codebeaker-*'] },
    ),
  ),
  allowedOrigins: env(
    'CODEBEAKER_ALLOWED_ORIGINS',
    list(
      Type.String({
        pattern: '^https?://[^/\\s,]+$',
        description: 'an origin such as https://app.example, without a path',
      }),
      'Origins of web pages that may call, e.g. https://app.example',
    ),
  ),
  apiKeys: env('CODEBEAKER_API_KEYS', list(KEY, 'Keys of which a call must bring one', SECRET)),
  doors: env(
    'CODEBEAKER_DOORS',
    list(OtherDoor, "Other services' protocols to speak; none: only our own; default: all", {
      default: OtherDoor.enum.filter((name: string) => name !== 'none'),
    }),
  ),
  callbackOrigins: env(
    'CODEBEAKER_CALLBACK_ORIGINS',
    list(
      Type.String({
        pattern: '^https?://[^/\\s,@?#]+$',
        description: 'an origin such as https://judge.example, without a path',
      }),
      "Where Judge0's clients may have results sent to, e.g. https://judge.example",
    ),
  ),
  metricsKeys: env(
    'CODEBEAKER_METRICS_KEYS',
    list(KEY, 'Keys that read /metrics and nothing else; with CODEBEAKER_API_KEYS no other reads it', SECRET),
  ),
});
export type Config = Static<typeof Config>;

/** A configuration that can't be used; the message is one sentence for the operator. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Variable = TSchema & { env: string; secret?: boolean };
const variables = Object.entries(Config.properties as Record<string, TSchema>) as [keyof Config, Variable][];

/** @throws {ConfigError} */
export function readConfig(environment: Record<string, string | undefined>): Config {
  refuseUnknown(environment);
  const config: Record<string, unknown> = {};
  for (const [name, schema] of variables) {
    const text = environment[schema.env];
    // An empty variable is how compose files and CI systems leave one out.
    const value = text === undefined || text === '' ? defaultOf(name, schema, config) : parse(schema, text);
    if (value !== undefined) config[name] = value;
  }
  const complete = config as Config;
  if (!isLoopback(complete.host) && complete.apiKeys.length === 0) {
    throw new ConfigError(
      `HOST=${complete.host} can be reached from outside this machine: set CODEBEAKER_API_KEYS, or leave HOST at 127.0.0.1.`,
    );
  }
  return complete;
}

/** Variables of this service's clients, and what they would be for the server. */
const OF_CLIENTS: Readonly<Record<string, string>> = {
  CODEBEAKER_API_KEY: 'The keys that the server asks for are CODEBEAKER_API_KEYS.',
  CODEBEAKER_URL: 'The server listens where HOST and PORT say.',
};

const PREFIX = 'CODEBEAKER_';

function refuseUnknown(environment: Record<string, string | undefined>): void {
  const known = variables.map(([, schema]) => schema.env).filter(name => name.startsWith(PREFIX));
  for (const name of Object.keys(environment)) {
    if (!name.startsWith(PREFIX) || known.includes(name)) continue;
    if (Object.hasOwn(OF_CLIENTS, name))
      throw new ConfigError(
        `${name} is for clients and no setting of the server. ${OF_CLIENTS[name]} Unset it for the server.`,
      );
    const meant = nearest(
      name.slice(PREFIX.length),
      known.map(each => each.slice(PREFIX.length)),
    );
    const hint =
      meant === null
        ? `there are ${known.join(', ')}.`
        : `did you mean ${PREFIX}${meant}? npm start -- --settings lists all.`;
    throw new ConfigError(`${name} is not a setting; ${hint}`);
  }
}

function defaultOf(name: keyof Config, schema: Variable, config: Record<string, unknown>): unknown {
  if (name === 'dataDir') return fileURLToPath(new URL('../.codebeaker', import.meta.url));
  if (name === 'maxConcurrency') return 8 * availableParallelism();
  if (name === 'maxStreamBytes') return 64 * (config.maxOutputBytes as number);
  return schema.default;
}

function parse(schema: Variable, text: string): unknown {
  const value = read(schema, text);
  const [error] = Value.Errors(schema, value);
  if (!error) return value;
  const item = schema.type === 'array' ? error.value : text;
  const shown = schema.secret ? 'a value' : JSON.stringify(item);
  const words: string[] | undefined = error.schema.enum;
  const wanted = words
    ? `one of ${words.join(', ')}`
    : (error.schema.pattern || error.schema.format) && error.schema.description;
  const problem = wanted ? `must be ${wanted}` : error.message.replace(/^E/, 'e');
  throw new ConfigError(`${schema.env} can't be ${shown}: ${problem}.`);
}

function read(schema: Variable, text: string): unknown {
  if (schema.type === 'array')
    return text
      .split(',')
      .map(item => (schema.items === RuntimeType ? properName(item.trim()) : item.trim()))
      .filter(Boolean);
  if (schema.type === 'string') return text;
  return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
}

/** Runtimes may be written in any case, as in a request. */
function properName(word: string): string {
  return (RuntimeType.enum as string[]).find(name => name.toLowerCase() === word.toLowerCase()) ?? word;
}

/** What somebody has set, as `NAME=value`; secrets are hidden. */
export function printConfig(config: Config, environment: Record<string, string | undefined>): string[] {
  return variables.filter(([, { env }]) => environment[env]).map(variable => line(config, variable));
}

/** Every setting with its value here and what it means, a line each; secrets are hidden. */
export function describeSettings(config: Config): string {
  const lines = variables.map(variable => [line(config, variable), variable[1].description ?? ''] as const);
  const width = Math.max(...lines.map(([text]) => text.length).filter(length => length <= COLUMNS));
  return lines.map(([text, meaning]) => `${text.padEnd(width)}  # ${meaning}`).join('\n');
}

function line(config: Config, [name, { env, secret }]: (typeof variables)[number]): string {
  const value = config[name] ?? '';
  const hidden = secret && (value as string | string[]).length > 0;
  const many = Array.isArray(value) ? `${value.length} ` : '';
  return `${env}=${hidden ? `(${many}hidden)` : value}`;
}
