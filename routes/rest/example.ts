import type { TSchema } from '@sinclair/typebox';

/** A body's schema with what Swagger UI offers to send. */
export function withExample<T extends TSchema>(schema: T, example: object): T {
  return { ...schema, examples: [example] };
}
