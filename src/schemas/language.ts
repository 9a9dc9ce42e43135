import { type Static, Type } from '@sinclair/typebox';
import { RuntimeType } from './session.ts';
import { nullable } from './shapes.ts';

export const RuntimeInfo = Type.Object({
  runtimeType: RuntimeType,
  available: Type.Boolean(),
  reason: nullable(Type.String({ description: 'Why not, and what cures it' })),
  version: nullable(Type.String()),
  startupMs: nullable(Type.Number({ description: 'Measured on this machine by the probe' })),
  memoryMB: nullable(
    Type.Number({ description: 'Private memory of an idle interpreter, measured by the probe' }),
  ),
  isolationLevel: Type.Integer({ minimum: 1, maximum: 10 }),
});
export type RuntimeInfo = Static<typeof RuntimeInfo>;

export const LanguageInfo = Type.Object({
  name: Type.String(),
  displayName: Type.String(),
  version: nullable(
    Type.String({ description: 'Of the toolchain that Balanced would pick now; null without any' }),
  ),
  aliases: Type.Array(Type.String()),
  dockerImage: nullable(Type.String()),
  runtimes: Type.Array(RuntimeInfo),
});
export type LanguageInfo = Static<typeof LanguageInfo>;
