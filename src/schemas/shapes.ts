import { Kind, type TSchema, Type, TypeRegistry } from '@sinclair/typebox';
import { LIMITS } from './limits.ts';

TypeRegistry.Set<{ enum: string[] }>('OneOf', (schema, value) => schema.enum.includes(value as string));

/** A closed set of words: one enum in the contracts, a union of literals in TypeScript. */
export function oneOf<const T extends readonly string[]>(words: T, description?: string) {
  return Type.Unsafe<T[number]>({
    [Kind]: 'OneOf',
    type: 'string',
    enum: [...words],
    ...(description && { description }),
  });
}

/** A value or null; the description is the whole's, for generators look for it there. */
export function nullable<T extends TSchema>(schema: T, description: string | undefined = schema.description) {
  return Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
}

/** An object that refuses what it does not know: every shape that a client sends. */
export function closed<T extends Record<string, TSchema>>(properties: T, description?: string) {
  return Type.Object(properties, { additionalProperties: false, ...(description && { description }) });
}

/** A time of something, as every answer gives it: ISO 8601 in UTC with milliseconds. */
export const timestamp = (of: string) =>
  Type.String({ format: 'date-time', description: `${of}; ISO 8601, UTC, milliseconds` });

/** Names that the service gives. */
export const SessionId = Type.String({ description: 'Names the session' });
export const ExecutionId = Type.String({
  description: 'Names the run: a one-shot or a command of a session',
});

/** Environment variables: names as POSIX has them, values without NUL. */
export const Environment = Type.Record(
  Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }),
  Type.String({ maxLength: 131_072, pattern: '^[^\\u0000]*$' }),
  {
    additionalProperties: false,
    maxProperties: LIMITS.environmentVariables,
    description: 'Environment variables as given, byte for byte',
  },
);
