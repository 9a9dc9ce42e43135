import { type Static, Type } from '@sinclair/typebox';
import { ExecutionId, timestamp } from './shapes.ts';

/** A program that a command of a session runs. */
export const RunningProcess = Type.Object({
  commandId: Type.String({ description: "The command's id, or ours" }),
  executionId: ExecutionId,
  pid: Type.Integer({ description: 'As the sandbox counts; of a cell its interpreter’s' }),
  commandName: Type.String({ description: 'The program; of a cell its interpreter' }),
  args: Type.Array(Type.String(), { description: 'Its arguments' }),
  startedAt: timestamp('When it started'),
  background: Type.Boolean({ description: 'Its command has answered already' }),
  pty: Type.Boolean({ description: 'It runs in a terminal' }),
});
export type RunningProcess = Static<typeof RunningProcess>;
