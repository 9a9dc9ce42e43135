import { readFileSync } from 'node:fs';

const source = (name: string) => JSON.stringify(readFileSync(new URL(name, import.meta.url), 'utf8'));

/** A cell that gives an interpreter what this door needs of it, once. */
export const SETUP = `"__jupyter__" in __import__("sys").modules or exec(${source('./in-python.py')}, {"__name__": "__jupyter__", "WITH_LINES": ${source('./errors-in-python.py')}});`;

/** A cell that asks it something, whose answer is a result with a mark. */
export function question(
  name: 'complete' | 'inspect' | 'is_complete' | 'evaluate',
  ...args: readonly (string | number)[]
): string {
  return `__import__("sys").modules["__jupyter__"].${name}(${args.map(literal).join(', ')});`;
}

/** JSON's strings are Python's, but for halves of pairs, which JSON.stringify escapes as Python does. */
const literal = (value: string | number): string => JSON.stringify(value);
