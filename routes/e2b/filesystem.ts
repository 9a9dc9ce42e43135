import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { ServiceError } from '../../src/errors.ts';
import { validator } from '../../src/schemas/validate.ts';
import type { Call } from '../../src/service/call.ts';
import type { Service } from '../../src/service/service.ts';
import { RpcError } from './connect-protocol.ts';
import { entryInfo } from './entry-info.ts';
import { inTheirWords, isWorkspace, seenPath } from './paths.ts';
import { unaryCalls } from './unary.ts';

/** Messages of `filesystem.Filesystem` (spec/envd/filesystem/filesystem.proto of E2B). What is empty is left out. */
const path = Type.Optional(Type.String({ maxLength: 4096, pattern: '^[^\\u0000]*$' }));
const pathRequest = validator(Type.Object({ path }));
const moveRequest = validator(Type.Object({ source: path, destination: path }));
const listRequest = validator(
  Type.Object({ path, depth: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffff_ffff })) }),
);

/** The calls of the daemon that look at files and move them about. */
export function filesystemRoutes(app: FastifyInstance, { entries }: Service): void {
  const unary = unaryCalls(app, 'filesystem.Filesystem');
  /** A link is of the kind that it leads to, where it leads to anything that can be seen. */
  const described = async (id: string, at: string, call: Call) => {
    const entry = await entries.describe(id, at, call);
    const isLink = entry.type === 'symlink' && entry.target !== null;
    const { type } = isLink ? await entries.describe(id, entry.target!, call).catch(() => entry) : entry;
    return { entry: entryInfo(entry, type) };
  };

  unary('Stat', async (message, { id }, call) => told(described(id, named(pathRequest(message).path), call)));

  unary('ListDir', async (message, { id }, call) => {
    const { path, depth = 1 } = listRequest(message);
    // Nothing is what an older client says for its default.
    const found = await told(entries.list(id, named(path), depth || 1, call));
    // Home is told by its own name alone.
    return { entries: found.filter(({ path }) => !isWorkspace(path)).map(each => entryInfo(each)) };
  });

  unary('MakeDir', async (message, { id }, call) => {
    const at = named(pathRequest(message).path);
    await told(entries.makeDirectory(id, at, call));
    return described(id, at, call);
  });

  unary('Move', async (message, { id }, call) => {
    const { source, destination } = moveRequest(message);
    const to = named(destination);
    await told(entries.move(id, named(source), to, call));
    return described(id, to, call);
  });

  unary('Remove', async (message, { id }, call) => {
    await told(entries.remove(id, named(pathRequest(message).path), call));
    return {};
  });
}

function named(path = ''): string {
  return seenPath(path);
}

/** Its refusals by what kind they are. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const message = inTheirWords(error.message);
    if (error.reason === 'exists') throw new RpcError('already_exists', message);
    if (error.reason === 'other_type') throw new RpcError('invalid_argument', message);
    throw error;
  }
}
