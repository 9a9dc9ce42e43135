import { isObject } from '../../src/schemas/is-object.ts';
import { BadMessage, type Message, parsePart, readMessage } from './message.ts';

/** How messages lie in those of a WebSocket. */
export interface Framing {
  /** @throws {BadMessage} */
  decode(data: Buffer, isBinary: boolean): Message;
  encode(parts: Parts): string | Buffer;
}

/** A message on its way to a client, each part as JSON. */
export interface Parts {
  readonly channel: string;
  readonly id: string;
  readonly type: string;
  readonly header: string;
  readonly parent: string;
  readonly metadata: string;
  readonly content: string;
}

/** Subprotocol of the binary framing (https://jupyter-server.readthedocs.io, "WebSocket kernel wire protocols"). */
export const V1 = 'v1.kernel.websocket.jupyter.org';

/** Most parts of a binary message: those that it has, and buffers, which nothing here reads. */
const MOST_PARTS = 64;

/** Little-endian 64-bit offsets of channel, header, parent header, metadata, content, further buffers and the end; then these. */
export const v1: Framing = {
  decode(data, isBinary) {
    if (!isBinary) throw new BadMessage(`${V1} is binary`);
    const [channel, header, , , content] = partsOf(data, 6, at => Number(data.readBigUInt64LE(at)), 8);
    return readMessage(text(channel), parsePart(text(header)), parsePart(text(content)));
  },
  encode({ channel, header, parent, metadata, content }) {
    const parts = [channel, header, parent, metadata, content].map(part => Buffer.from(part));
    const table = Buffer.alloc(8 * (parts.length + 2));
    table.writeBigUInt64LE(BigInt(parts.length + 1), 0);
    let end = table.length;
    table.writeBigUInt64LE(BigInt(end), 8);
    for (const [i, part] of parts.entries()) {
      end += part.length;
      table.writeBigUInt64LE(BigInt(end), 8 * (i + 2));
    }
    return Buffer.concat([table, ...parts]);
  },
};

/** One JSON text; one that has buffers comes binary, behind big-endian 32-bit offsets. */
export const json: Framing = {
  decode(data, isBinary) {
    const [first = data] = isBinary ? partsOf(data, 1, at => data.readUInt32BE(at), 4, data.length) : [];
    const message = parsePart(text(first));
    if (!isObject(message)) throw new BadMessage('a message is a JSON object');
    return readMessage(message.channel, message.header, message.content);
  },
  encode({ channel, id, type, header, parent, metadata, content }) {
    return (
      `{"header":${header},"msg_id":${JSON.stringify(id)},"msg_type":${JSON.stringify(type)},"parent_header":${parent},` +
      `"metadata":${metadata},"content":${content},"buffers":[],"channel":"${channel}"}`
    );
  },
};

/** What lies between the offsets of a table that begins with their number; `end` is one more, where it is not in the table. */
function partsOf(data: Buffer, least: number, read: (at: number) => number, width: number, end?: number) {
  if (data.length < width) throw new BadMessage('too short');
  const count = read(0);
  if (!(count >= least && count <= MOST_PARTS))
    throw new BadMessage(`must have ${least} to ${MOST_PARTS} offsets`);
  const begin = width * (count + 1);
  if (data.length < begin) throw new BadMessage('too short');
  const offsets = Array.from({ length: count }, (_, i) => read(width * (i + 1)));
  if (end !== undefined) offsets.push(end);
  for (const [i, offset] of offsets.entries())
    if (!(offset >= (offsets[i - 1] ?? begin) && offset <= data.length))
      throw new BadMessage('offsets must rise');
  return offsets.slice(1).map((next, i) => data.subarray(offsets[i], next));
}

function text(part: Buffer | undefined): string {
  return part?.toString('utf8') ?? '';
}
