import { Type } from '@sinclair/typebox';
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler';
import { closed, nullable, oneOf } from '../schemas/shapes.ts';
import { REASONS } from './registry/facts.ts';
import type { RegistryEvent } from './registry/protocol.ts';

const text = Type.String();
const bytes = Type.Integer({ minimum: 0 });
const flag = Type.Boolean();

const EVENT = Type.Union([
  closed({
    event: Type.Literal('progress'),
    progress: closed({
      phase: oneOf(['resolve', 'download']),
      package: text,
      bytes: nullable(Type.Number()),
      totalBytes: nullable(Type.Number()),
      cached: flag,
    }),
  }),
  closed({
    event: Type.Literal('done'),
    id: text,
    bytes,
    installed: Type.Array(closed({ name: text, version: text, bytes, digest: nullable(text) })),
    asked: Type.Optional(
      closed({ pages: Type.Array(text), unused: Type.Array(text), failed: flag, passing: flag }),
    ),
    places: Type.Optional(Type.Record(text, text)),
  }),
  closed({
    event: Type.Literal('facts'),
    failure: nullable(closed({ reason: oneOf(REASONS), sentence: text })),
  }),
  closed({
    event: Type.Literal('failed'),
    reason: oneOf([...REASONS, 'internal']),
    sentence: text,
  }),
]);
let compiled: TypeCheck<typeof EVENT> | undefined;

/** Whether a line of the process of an install is one of its events and holds nothing beside: who has taken it over may write any. */
export function isRegistryEvent(line: unknown): line is RegistryEvent {
  compiled ??= TypeCompiler.Compile(EVENT);
  return compiled.Check(line);
}
