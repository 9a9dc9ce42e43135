import type { TSchema } from '@sinclair/typebox';

/** A body's schema with an example for Swagger UI. */
export function withExample<T extends TSchema>(schema: T, example: object): T {
  return { ...schema, examples: [example] };
}
