import { type Static, Type } from '@sinclair/typebox';
import { RuntimeType } from './session.ts';
import { nullable } from './shapes.ts';

export const RuntimeInfo = Type.Object({
  runtimeType: RuntimeType,
  available: Type.Boolean({ description: 'It can run the language here and now' }),
  reason: nullable(Type.String({ description: 'Why not, and what cures it' })),
  version: nullable(
    Type.String({ description: 'Of its toolchain, as that tells it; null where there is none' }),
  ),
  startupMs: nullable(Type.Number({ description: 'Measured on this machine by the probe' })),
  memoryMB: nullable(
    Type.Number({ description: 'Private memory of an idle interpreter, measured by the probe' }),
  ),
  isolationLevel: Type.Integer({
    minimum: 1,
    maximum: 10,
    description: '1 would be a bare process, 10 another machine',
  }),
});
export type RuntimeInfo = Static<typeof RuntimeInfo>;

export const LanguageInfo = Type.Object(
  {
    name: Type.String({ description: 'What language in a request says' }),
    displayName: Type.String({ description: 'Its name for people' }),
    version: nullable(
      Type.String({ description: 'Of the toolchain that Balanced would pick now; null without any' }),
    ),
    aliases: Type.Array(Type.String(), { description: 'Other names that mean it' }),
    dockerImage: nullable(Type.String({ description: 'The image it has on Docker; null for none' })),
    runtimes: Type.Array(RuntimeInfo, { description: 'What can run it, be it available or not' }),
  },
  { description: 'A language and what runs it here' },
);
export type LanguageInfo = Static<typeof LanguageInfo>;
