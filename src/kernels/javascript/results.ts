import { cut } from './cut.ts';

/** Characters of text/plain that are kept. */
const MAX_TEXT = 1_000_000;
/** Characters of one richer representation and of a whole bundle, as JSON; what is over is left out. */
const MAX_RICH = 2 * 1024 * 1024;
const MAX_BUNDLE = 2.5 * 1024 * 1024;

/** What Deno's notebooks call to show a value. */
const DISPLAY = Symbol.for('Jupyter.display');
const { stringify } = JSON;
const { entries } = Object;

/** JSON of a value's MIME bundle. Strings are quoted one by one: a `toJSON` of the program's is not called by that. */
export async function bundle(value: unknown, inspect: (value: unknown) => string): Promise<string> {
  let plain = `"text/plain":${stringify(cut(inspect(value), MAX_TEXT))}`;
  let others = '';
  for (const [mime, data] of entries(await rich(value))) {
    const field = `${stringify(mime)}:${stringify(data)}`;
    if (field.length > MAX_RICH || plain.length + others.length + field.length > MAX_BUNDLE) continue;
    if (mime === 'text/plain') plain = field;
    else others += `,${field}`;
  }
  return `{${plain}${others}}`;
}

async function rich(value: unknown): Promise<Record<string, unknown>> {
  try {
    const show = (value as Record<symbol, unknown> | null)?.[DISPLAY];
    const made: unknown = typeof show === 'function' ? await show.call(value) : null;
    return made !== null && typeof made === 'object' ? (made as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
