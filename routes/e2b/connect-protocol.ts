import { parseJson } from '../../src/schemas/json-text.ts';

/**
 * The Connect protocol with JSON (https://connectrpc.com/docs/protocol), as far as clients of E2B speak it: calls of one message each
 * way, and calls that answer by a stream.
 */

/** Codes, and the HTTP status of a call of one message that ends with one. */
const STATUS = {
  canceled: 499,
  invalid_argument: 400,
  failed_precondition: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  resource_exhausted: 429,
  unimplemented: 501,
  unavailable: 503,
  deadline_exceeded: 504,
  internal: 500,
} as const;

export type RpcCode = keyof typeof STATUS;

export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: RpcCode;

  constructor(code: RpcCode, message: string) {
    super(message);
    this.code = code;
  }

  get status(): number {
    return STATUS[this.code];
  }

  get body(): { code: RpcCode; message: string } {
    return { code: this.code, message: this.message };
  }
}

const PREFIX_BYTES = 5;
const MESSAGE = 0;
const COMPRESSED = 1;
const END = 2;

/** One message of a stream. */
export const messageFrame = (message: object): Buffer => frame(MESSAGE, message);

/** The end of a stream, and why it ends, where that is for another reason than that all has been said. */
export const endFrame = (error?: RpcError): Buffer => frame(END, error ? { error: error.body } : {});

function frame(flags: number, message: object): Buffer {
  const text = Buffer.from(JSON.stringify(message));
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt8(flags, 0);
  prefix.writeUInt32BE(text.byteLength, 1);
  return Buffer.concat([prefix, text]);
}

/** The one message of a request that is answered by a stream. @throws {RpcError} */
export function readFrame(body: unknown): unknown {
  if (!Buffer.isBuffer(body) || body.byteLength < PREFIX_BYTES)
    throw new RpcError('invalid_argument', 'the request has no message');
  const flags = body.readUInt8(0);
  if (flags & COMPRESSED) throw new RpcError('unimplemented', 'messages of requests must not be compressed');
  if (flags !== MESSAGE) throw new RpcError('invalid_argument', `flags of a message are 0, and not ${flags}`);
  const length = body.readUInt32BE(1);
  if (length !== body.byteLength - PREFIX_BYTES)
    throw new RpcError('invalid_argument', `the message has ${length} bytes, and the body others`);
  return readMessage(body.toString('utf8', PREFIX_BYTES));
}

/** @throws {RpcError} */
export function readMessage(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new RpcError('invalid_argument', `the message is not JSON: ${(error as Error).message}`);
  }
}
