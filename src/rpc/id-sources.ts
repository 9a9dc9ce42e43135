import { endOfString } from '../schemas/json-text.ts';

/** How a request's ids are written, where they are numbers. */
export interface IdSources {
  readonly id: string | undefined;
  /** `params.id`, which `$/cancelRequest` has. */
  readonly paramsId: string | undefined;
}

/** Where in a request an id stands. */
const PATHS: ReadonlySet<string> = new Set(['id', 'params.id']);
/** Of `"params"` with each of its letters escaped. */
const MAX_NAME_LENGTH = 6 * '\\u0000'.length + 1;
const NUMBER = /-?\d[\d.]*(?:[eE][+-]?\d+)?/y;

/** Looks up ids in a text that is JSON: of a request alone, or of each item of a batch. */
export function idSources(text: string): IdSources[] {
  const found = new Map<number, Record<string, string | undefined>>();
  /** Depth of a request's own names. */
  const top = text.trimStart().startsWith('[') ? 2 : 1;
  /** The name that stands before the current value, by depth; null in a list. */
  const names: (string | null)[] = [];
  let depth = 0;
  let item = 0;
  const note = (source: string | undefined) => {
    const path = names.slice(top, depth + 1).join('.');
    if (!PATHS.has(path) && path !== 'params') return;
    const sources = found.get(item) ?? {};
    found.set(item, Object.assign(sources, path === 'params' ? { 'params.id': source } : { [path]: source }));
  };
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    const near = depth >= top && depth <= top + 1 && names[top] !== null;
    if (char === '"') {
      const end = endOfString(text, i);
      if (near && names[depth] !== null && isName(text, end)) {
        names[depth] = end - i > MAX_NAME_LENGTH ? '' : (JSON.parse(text.slice(i, end + 1)) as string);
        // Of a name given several times the last counts.
        note(undefined);
      }
      i = end;
    } else if (char === '{' || char === '[') names[++depth] = char === '{' ? '' : null;
    else if (char === '}' || char === ']') depth--;
    else if (char === ',' && depth === top - 1) item++;
    else if (char === '-' || (char >= '0' && char <= '9')) {
      NUMBER.lastIndex = i;
      const [source = ''] = NUMBER.exec(text) ?? [];
      if (near && names[depth] !== null) note(source);
      i += source.length - 1;
    }
  }
  return Array.from({ length: item + 1 }, (_, at) => ({
    id: found.get(at)?.id,
    paramsId: found.get(at)?.['params.id'],
  }));
}

/** Whether the string that ends here is a name: a colon follows. */
function isName(text: string, end: number): boolean {
  let at = end + 1;
  while (' \t\n\r'.includes(text.charAt(at)) && at < text.length) at++;
  return text.charAt(at) === ':';
}
