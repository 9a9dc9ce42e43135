import type { TSchema } from '@sinclair/typebox';
import { invalid } from '../errors.ts';

/** Values that older clients send, by the field they stand in. */
const OLD_VALUES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  mode: { Overwrite: 'Create' },
};

/**
 * Turns older spellings into today's, in place and before validation: the snake_case twin of a field the schema
 * names (`memory_limit`, `memory_limit_mb`), and the values above. It follows the schema, so it never reaches into a
 * free-form map such as `environment` or `metadata`, and it goes no deeper than the schema does.
 * @throws {ServiceError} VALIDATION_ERROR when a field is given under both names
 */
export function renameOldNames(schema: TSchema, value: unknown, at = ''): void {
  if (Array.isArray(value)) {
    if (schema.items)
      for (const [i, item] of value.entries()) renameOldNames(schema.items, item, `${at}[${i}]`);
    return;
  }
  const fields: Record<string, TSchema> | undefined = schema.properties;
  if (!fields || typeof value !== 'object' || value === null) return;
  renameKeys(fields, value as Record<string, unknown>, at);
  const holder = value as Record<string, unknown>;
  for (const name of Object.keys(holder)) {
    if (!Object.hasOwn(fields, name)) continue;
    const inner = holder[name];
    if (typeof inner === 'object') renameOldNames(fields[name]!, inner, at ? `${at}.${name}` : name);
    else if (typeof inner === 'string') holder[name] = currentValue(name, inner);
  }
}

function renameKeys(fields: Record<string, TSchema>, value: Record<string, unknown>, at: string): void {
  for (const key of Object.keys(value)) {
    if (!key.includes('_') || Object.hasOwn(fields, key)) continue;
    const name = twin(fields, key);
    if (name === undefined) continue;
    if (Object.hasOwn(value, name)) throw invalid(at ? `${at}.${key}` : key, `given twice, also as ${name}`);
    value[name] = value[key];
    delete value[key];
  }
}

function twin(fields: Record<string, TSchema>, key: string): string | undefined {
  const bare = key.replaceAll('_', '').toLowerCase();
  return Object.keys(fields).find(name => name.toLowerCase() === bare);
}

function currentValue(field: string, value: string): string {
  const values = Object.hasOwn(OLD_VALUES, field) ? OLD_VALUES[field] : undefined;
  return values && Object.hasOwn(values, value) ? values[value]! : value;
}
