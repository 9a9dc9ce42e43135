import type { RemoteObject } from './inspector.ts';

/** Of one value, characters; beyond it stands an ellipsis. */
const MAX_TEXT = 4096;

/** A value in one line. */
export function shown(value: RemoteObject, most = MAX_TEXT): string {
  const text = textOf(value);
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

function textOf({ type, subtype, value, unserializableValue, description }: RemoteObject): string {
  if (type === 'string') return JSON.stringify(value);
  if (type === 'undefined' || subtype === 'null') return subtype ?? type;
  if (unserializableValue !== undefined) return unserializableValue;
  if (type === 'function') return (description ?? '').replace(/\s*\{[\s\S]*$/, ' {…}');
  if (subtype === 'error') return (description ?? '').split('\n', 1)[0]!;
  return description ?? String(value);
}

/** How many elements it has that are read piece by piece; 0 where it is no array. */
export function elementsOf({ subtype, description = '' }: RemoteObject): number {
  if (subtype !== 'array' && subtype !== 'typedarray') return 0;
  return Number(/\((\d+)\)$/.exec(description)?.[1] ?? 0);
}

/** What an expression threw. */
export function thrown({ exception, text }: { exception?: RemoteObject; text: string }): string {
  if (!exception) return text;
  return exception.subtype === 'error'
    ? (exception.description ?? text).split('\n', 1)[0]!
    : shown(exception);
}
