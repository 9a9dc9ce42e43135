import { inspect as show } from 'node:util';

/** A value as text, as the REPLs of Node.js and Deno show it. */
export function inspect(value: unknown): string {
  return show(value);
}
