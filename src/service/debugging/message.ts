import { isObject } from '../../schemas/is-object.ts';
import { parseJson } from '../../schemas/json-text.ts';

/** A message of the Debug Adapter Protocol (its specification, Base Protocol). Whatever else it holds is passed on. */
export interface Message {
  readonly seq: number;
  readonly type: 'request' | 'response' | 'event';
  readonly [field: string]: unknown;
}

export interface Request extends Message {
  readonly type: 'request';
  readonly command: string;
}

/** What came is no message of the protocol; the sentence says why not. */
export class BadMessage extends Error {
  override readonly name = 'BadMessage';
}

const TYPES: ReadonlySet<unknown> = new Set(['request', 'response', 'event']);

/** @throws {BadMessage} */
export function readMessage(text: string): Message {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new BadMessage(`no JSON: ${(error as Error).message.slice(0, 80)}`);
  }
  if (!isObject(value)) throw new BadMessage('no object');
  const { seq, type } = value;
  if (!Number.isSafeInteger(seq)) throw new BadMessage('seq is no integer');
  if (!TYPES.has(type)) throw new BadMessage('type is not request, response or event');
  const named = type === 'request' ? value.command : type === 'event' ? value.event : '';
  if (typeof named !== 'string') throw new BadMessage(`${type} without a name`);
  return value as unknown as Message;
}

export const isRequest = (message: Message): message is Request => message.type === 'request';

/** An object's fields; of anything else none. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}
