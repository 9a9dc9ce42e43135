import { type Static, Type } from '@sinclair/typebox';
import { ERRORS, type ErrorCode } from '../errors.ts';
import { oneOf, timestamp } from './shapes.ts';

/** The body of every HTTP error. */
export const Problem = Type.Object(
  {
    code: oneOf(Object.keys(ERRORS) as ErrorCode[], 'What is wrong, for programs'),
    message: Type.String({
      description: 'What is wrong, in a sentence; of a wrong field it begins with its path',
    }),
    details: Type.Optional(
      Type.String({ description: 'More of it, such as what was considered and why each was refused' }),
    ),
    reason: Type.Optional(
      Type.String({
        description: 'Why, in one word: of a session that has ended idle, lifetime, shutdown, …',
      }),
    ),
    timestamp: timestamp('When it was answered'),
  },
  { description: 'Why a request was not done' },
);
export type Problem = Static<typeof Problem>;
