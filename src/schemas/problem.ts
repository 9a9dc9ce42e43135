import { type Static, Type } from '@sinclair/typebox';
import { ERRORS, type ErrorCode } from '../errors.ts';
import { oneOf, Timestamp } from './shapes.ts';

/** The body of every HTTP error. */
export const Problem = Type.Object({
  code: oneOf(Object.keys(ERRORS) as ErrorCode[]),
  message: Type.String(),
  details: Type.Optional(Type.String()),
  reason: Type.Optional(
    Type.String({ description: 'Why, in one word: of a session that has ended idle, lifetime, shutdown, …' }),
  ),
  timestamp: Timestamp,
});
export type Problem = Static<typeof Problem>;
