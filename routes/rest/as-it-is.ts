import { jsonOf } from '../../src/schemas/json-once.ts';

/**
 * For a route that answers with one of several shapes: a serializer made from a union would look for the shape that fits,
 * which costs as much as the answer is long, and leave out what it does not know.
 */
export const asItIs = { serializerCompiler: () => jsonOf };
