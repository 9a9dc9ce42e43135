import { type Static, Type } from '@sinclair/typebox';
import { Environment } from '../../src/schemas/shapes.ts';
import { terminalSize } from '../../src/schemas/terminal-size.ts';
import { validator } from '../../src/schemas/validate.ts';

/** Messages of `process.Process` (spec/envd/process/process.proto of E2B) as JSON, where what is zero or empty is left out. */

const text = Type.String({ maxLength: 131_072 });
const Pty = Type.Object({ size: Type.Object(terminalSize) });
/** Long enough for what clients make up, and short enough to be a command's id. */
const Tag = Type.String({ minLength: 1, maxLength: 200 });
const Selector = Type.Object({
  pid: Type.Optional(Type.Integer({ minimum: 0, maximum: 0xffff_ffff })),
  tag: Type.Optional(Tag),
});
export type Selector = Static<typeof Selector>;

const process = { process: Selector };

export const startRequest = validator(
  Type.Object({
    process: Type.Object({
      cmd: Type.String({ minLength: 1, maxLength: 4096 }),
      args: Type.Optional(Type.Array(Type.String(), { maxItems: 4096 })),
      envs: Type.Optional(Environment),
      cwd: Type.Optional(text),
    }),
    pty: Type.Optional(Pty),
    tag: Type.Optional(Tag),
    stdin: Type.Optional(Type.Boolean()),
  }),
);
export type StartRequest = ReturnType<typeof startRequest>;

export const connectRequest = validator(Type.Object(process));

/** bytes are base64. */
const bytes = Type.Optional(Type.String({ pattern: '^[A-Za-z0-9+/_-]*={0,2}$', description: 'Base64' }));
export const inputRequest = validator(
  Type.Object({ ...process, input: Type.Optional(Type.Object({ stdin: bytes, pty: bytes })) }),
);
export const closeStdinRequest = validator(Type.Object(process));
export const updateRequest = validator(Type.Object({ ...process, pty: Type.Optional(Pty) }));

/** By name or by number, as the mapping of enumerations to JSON allows. */
const Signal = Type.Union([Type.String(), Type.Integer()]);
export const signalRequest = validator(Type.Object({ ...process, signal: Type.Optional(Signal) }));

const SIGNALS: Readonly<Record<string, string>> = {
  SIGNAL_SIGKILL: 'SIGKILL',
  9: 'SIGKILL',
  SIGNAL_SIGTERM: 'SIGTERM',
  15: 'SIGTERM',
};

/** Undefined for one that is unknown. */
export function signalNamed(signal: string | number | undefined): string | undefined {
  return SIGNALS[String(signal)];
}
