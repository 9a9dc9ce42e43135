import { type Static, Type } from '@sinclair/typebox';
import { invalid } from '../../src/errors.ts';
import { parseJson } from '../../src/schemas/json-text.ts';
import { LIMITS } from '../../src/schemas/limits.ts';
import { closed, oneOf } from '../../src/schemas/shapes.ts';
import { validator } from '../../src/schemas/validate.ts';
import { CODINGS } from '../../src/service/transfers/codings.ts';

/** A client's own name for a transfer. */
const MOST_OF_ID = 256;
const Id = Type.Union([Type.String({ maxLength: MOST_OF_ID }), Type.Integer()]);
export type Id = Static<typeof Id>;

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Transfer = Type.Integer({ minimum: 1, maximum: 0xffff_ffff });
const compression = Type.Optional(oneOf(CODINGS));

const SHAPES = {
  upload: closed({
    op: Type.Literal('upload'),
    id: Id,
    sessionId: Type.String(),
    path: Type.String(),
    size: Type.Optional(Count),
    sha256: Type.Optional(
      Type.String({ pattern: '^[0-9a-fA-F]{64}$', description: 'SHA-256 in hexadecimal' }),
    ),
    compression,
    mode: Type.Optional(Type.Integer({ minimum: 0, maximum: 0o777, description: 'Permissions' })),
    resume: Type.Optional(Transfer),
  }),
  download: closed({
    op: Type.Literal('download'),
    id: Id,
    sessionId: Type.String(),
    path: Type.String(),
    offset: Type.Optional(Count),
    length: Type.Optional(Count),
    compression,
  }),
  cancel: closed({ op: Type.Literal('cancel'), id: Id }),
  window: closed({ op: Type.Literal('window'), transfer: Transfer, bytes: Count }),
  end: closed({ op: Type.Literal('end'), transfer: Transfer }),
};

export type UploadMessage = Static<typeof SHAPES.upload>;
export type DownloadMessage = Static<typeof SHAPES.download>;
export type ControlMessage = Static<(typeof SHAPES)[keyof typeof SHAPES]>;

const validators = Object.fromEntries(
  Object.entries(SHAPES).map(([op, shape]) => [op, validator(shape) as (value: unknown) => ControlMessage]),
);

/** The name that a message carries, whatever else is wrong with it; null for none. What comes back with an error is as short as it may be. */
export function idOf(value: unknown): Id | null {
  const { id } = Object(value) as { id?: unknown };
  return typeof id === 'number' || (typeof id === 'string' && id.length <= MOST_OF_ID) ? id : null;
}

/** @throws {ServiceError} it is not JSON */
export function readJson(text: string): unknown {
  if (text.length > LIMITS.dataMessageLength)
    throw invalid('message', `is over ${LIMITS.dataMessageLength} characters`);
  try {
    return parseJson(text);
  } catch (error) {
    throw invalid('message', `is not JSON: ${(error as Error).message}`);
  }
}

/** @throws {ServiceError} naming what is wrong with it */
export function readMessage(value: unknown): ControlMessage {
  const { op } = Object(value) as { op?: unknown };
  const validate = typeof op === 'string' && Object.hasOwn(validators, op) ? validators[op] : undefined;
  if (!validate) throw invalid('op', `must be one of ${Object.keys(SHAPES).join(', ')}`);
  return validate(value);
}
