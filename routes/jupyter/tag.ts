import { isObject } from '../../src/schemas/is-object.ts';
import type { Fields } from './message.ts';

/** The mark of results that are more than a value; in-python.py writes it. */
const TAG = 'application/vnd.codebeaker.jupyter+json';
const MOST_ID = 256;
/** Most characters of a prompt: a program's own words. */
const MOST_PROMPT = 10_000;

/** What a result is. A program can mark what it likes: it means something to its own kernel's clients alone. */
export type Shown =
  | { readonly kind: 'value'; readonly data: Fields }
  | {
      readonly kind: 'display' | 'update';
      readonly data: Fields;
      readonly metadata: Fields;
      readonly id: string | undefined;
    }
  | { readonly kind: 'clear'; readonly wait: boolean }
  | { readonly kind: 'input'; readonly prompt: string; readonly hidden: boolean }
  | { readonly kind: 'reply'; readonly reply: Fields };

export function shownBy(bundle: Fields): Shown {
  const { [TAG]: tag, ...data } = bundle;
  if (!isObject(tag)) return { kind: 'value', data };
  const { show, raw, id, metadata, clear, input, hidden, reply } = tag;
  if (typeof clear === 'boolean') return { kind: 'clear', wait: clear };
  if (typeof input === 'string')
    return { kind: 'input', prompt: input.slice(0, MOST_PROMPT), hidden: hidden === true };
  if (isObject(reply)) return { kind: 'reply', reply };
  const named = typeof id === 'string' && id.length <= MOST_ID ? id : undefined;
  return {
    kind: show === 'update' && named !== undefined ? 'update' : 'display',
    data: raw === true && data['text/plain'] === '' ? without(data, 'text/plain') : data,
    metadata: isObject(metadata) ? metadata : {},
    id: named,
  };
}

function without(fields: Fields, name: string): Fields {
  const { [name]: _, ...rest } = fields;
  return rest;
}
