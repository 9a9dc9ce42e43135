import { invalid } from '../errors.ts';
import { renameOldNames } from '../schemas/old-names.ts';
import { validator } from '../schemas/validate.ts';
import type { Command } from './command.ts';
import { type CommandRequest, commands } from './index.ts';

const known: readonly Command[] = commands;
const byName = new Map(known.flatMap(c => [c.type, ...(c.aliases ?? [])].map(name => [name, c] as const)));
const validators = new Map(known.map(c => [c, validator(c.params)]));

/**
 * Reads a command: flat (`{ type, …fields }`) or nested (`{ type, params: { …fields } }`), under older names too.
 * @throws {ServiceError} VALIDATION_ERROR naming the field
 */
export function parseCommand(raw: unknown): CommandRequest {
  if (!isObject(raw)) throw invalid('command', 'Expected object');
  const { type, id, ...flat } = raw;
  const command = commandOf(type);
  if (id !== undefined && (typeof id !== 'string' || id.length === 0 || id.length > 256)) {
    throw invalid('command.id', 'must be a string of 1 to 256 characters');
  }
  const nested = isNested(flat);
  const at = nested ? 'command.params' : 'command';
  const fields = renamed(command, nested ? (flat.params as Record<string, unknown>) : flat, at);
  command.adapt?.(fields, type as string);
  const params = validators.get(command)!(fields, at);
  return { type: command.type, id, params, at } as CommandRequest;
}

function commandOf(type: unknown): Command {
  if (typeof type !== 'string')
    throw invalid('command.type', type === undefined ? 'missing' : 'Expected string');
  const command = byName.get(type);
  if (!command) throw invalid('command.type', `must be one of ${known.map(c => c.type).join(', ')}`);
  return command;
}

function isNested(fields: Record<string, unknown>): boolean {
  if (!('params' in fields)) return false;
  const beside = Object.keys(fields).find(key => key !== 'params');
  if (beside) throw invalid(`command.${beside}`, 'unknown field beside params');
  if (!isObject(fields.params)) throw invalid('command.params', 'Expected object');
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
