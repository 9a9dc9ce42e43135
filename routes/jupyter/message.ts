import { isObject } from '../../src/schemas/is-object.ts';
import { parseJson, weigh } from '../../src/schemas/json-text.ts';
import { LIMITS } from '../../src/schemas/limits.ts';

/** The channels that one socket carries (https://jupyter-client.readthedocs.io, "Messaging in Jupyter"). */
const CHANNELS = ['shell', 'control', 'iopub', 'stdin'] as const;
export type Channel = (typeof CHANNELS)[number];

export type Fields = Readonly<Record<string, unknown>>;

/** Most characters of a header as JSON: it comes back with everything that its request causes. */
const MOST_HEADER = 4096;
const MOST_NAME = 256;
/** What a message takes in memory beside its parts, with what waits for its answer, bytes. */
const MESSAGE_BYTES = 4096;

/** What a client sent. */
export interface Message {
  readonly channel: Channel;
  readonly type: string;
  /** Its header as JSON, which is the parent of what it causes. */
  readonly header: string;
  /** Its `code` is null where it is longer than any may be. */
  readonly content: Fields;
}

/** What a client is sent. */
export interface Outgoing {
  readonly channel: Channel;
  readonly type: string;
  /** Header of the request that caused it, as JSON; null for none. */
  readonly parent: string | null;
  readonly metadata?: Fields;
  readonly content: Fields;
}

/** What is no message; a socket that sends one is closed. */
export class BadMessage extends Error {
  override readonly name = 'BadMessage';
}

/** @throws {BadMessage} */
export function parsePart(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new BadMessage(`not JSON: ${(error as Error).message}`);
  }
}

/** A message without a channel is for the shell, as nbclient's are. @throws {BadMessage} */
export function readMessage(channel: unknown, header: unknown, content: unknown): Message {
  const name = CHANNELS.find(each => each === (channel ?? 'shell'));
  if (name === undefined) throw new BadMessage('channel must be shell, control or stdin');
  if (!isObject(header)) throw new BadMessage('header must be an object');
  const { msg_id, msg_type } = header;
  for (const [field, value] of Object.entries({ msg_id, msg_type }))
    if (typeof value !== 'string' || value === '' || value.length > MOST_NAME)
      throw new BadMessage(`header.${field} must be a string of 1 to ${MOST_NAME} characters`);
  const text = JSON.stringify(header);
  if (text.length > MOST_HEADER) throw new BadMessage(`header is over ${MOST_HEADER} characters`);
  return {
    channel: name,
    type: msg_type as string,
    header: text,
    content: isObject(content) ? withoutLongCode(content) : {},
  };
}

/** Code that no kernel would run does not wait to be refused. */
function withoutLongCode(content: Fields): Fields {
  const { code } = content;
  return typeof code === 'string' && code.length > LIMITS.codeLength ? { ...content, code: null } : content;
}

/** Roughly what it takes in memory. */
export function bytesOf({ header, content }: Message): number {
  return MESSAGE_BYTES + header.length + weigh(JSON.stringify(content)).bytes;
}
