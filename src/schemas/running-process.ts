import { type Static, Type } from '@sinclair/typebox';
import { timestamp } from './shapes.ts';

/** A program that a command of a session runs. */
export const RunningProcess = Type.Object({
  commandId: Type.String(),
  executionId: Type.String(),
  pid: Type.Integer({ description: 'As the sandbox counts; of a cell its interpreter’s' }),
  commandName: Type.String(),
  args: Type.Array(Type.String()),
  startedAt: timestamp('When it started'),
  background: Type.Boolean(),
  pty: Type.Boolean({ description: 'It runs in a terminal' }),
});
export type RunningProcess = Static<typeof RunningProcess>;
