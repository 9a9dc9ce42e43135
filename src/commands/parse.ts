import { invalid } from '../errors.ts';
import { isObject } from '../schemas/is-object.ts';
import { LongText } from '../schemas/long-text.ts';
import { renameOldNames } from '../schemas/old-names.ts';
import { validator } from '../schemas/validate.ts';
import type { Command } from './command.ts';
import { type CommandRequest, commands } from './index.ts';

const known: readonly Command[] = commands;
const byName = new Map(known.flatMap(c => [c.type, ...(c.aliases ?? [])].map(name => [name, c] as const)));
const validators = new Map(known.map(c => [c, validator(c.params)]));

/**
 * Reads a command: flat (`{ type, …fields }`) or nested (`{ type, params: { …fields } }`), under older names too. `place` is where
 * it lies in the client's message.
 * @throws {ServiceError} VALIDATION_ERROR naming the field
 */
export function parseCommand(raw: unknown, place = 'command'): CommandRequest {
  if (!isObject(raw)) throw invalid(place, 'Expected object');
  const { type, id, ...flat } = raw;
  const command = commandOf(type, `${place}.type`);
  if (id !== undefined && (typeof id !== 'string' || id.length === 0 || id.length > 256)) {
    throw invalid(`${place}.id`, 'must be a string of 1 to 256 characters');
  }
  const nested = isNested(flat, place);
  const at = nested ? `${place}.params` : place;
  const fields = renamed(command, nested ? (flat.params as Record<string, unknown>) : flat, at);
  command.adapt?.(fields, type as string);
  const check = validators.get(command)!;
  const { content } = fields;
  // In the place of a string.
  const params =
    content instanceof LongText ? { ...check({ ...fields, content: '' }, at), content } : check(fields, at);
  return { type: command.type, id, params, at } as CommandRequest;
}

function commandOf(type: unknown, at: string): Command {
  if (typeof type !== 'string') throw invalid(at, type === undefined ? 'missing' : 'Expected string');
  const command = byName.get(type);
  if (!command) throw invalid(at, `must be one of ${known.map(c => c.type).join(', ')}`);
  return command;
}

function isNested(fields: Record<string, unknown>, place: string): boolean {
  if (!('params' in fields)) return false;
  const beside = Object.keys(fields).find(key => key !== 'params');
  if (beside) throw invalid(`${place}.${beside}`, 'unknown field beside params');
  if (!isObject(fields.params)) throw invalid(`${place}.params`, 'Expected object');
  return true;
}

/** Older names become today's: those the command lists, then those of the one table. */
function renamed(command: Command, fields: Record<string, unknown>, at: string): Record<string, unknown> {
  // Without a prototype: `__proto__` is a name like any other here, and an unknown one.
  const result: Record<string, unknown> = Object.create(null);
  const older = command.olderFields ?? {};
  for (const [key, value] of Object.entries(fields)) {
    const name = Object.hasOwn(older, key) ? older[key]! : key;
    if (Object.hasOwn(result, name)) throw invalid(`${at}.${key}`, `given twice, also as ${name}`);
    result[name] = value;
  }
  renameOldNames(command.params, result, at);
  return result;
}
