import { type Static, Type } from '@sinclair/typebox';
import { invalid } from '../errors.ts';
import { named } from '../schemas/named.ts';
import { nullable } from '../schemas/shapes.ts';
import { CommandResult } from './command-result.ts';
import { EXAMPLES, exampleReply } from './examples.ts';
import type { CommandRequest } from './index.ts';
import { parseCommand } from './parse.ts';

/** Several commands that a client sends as one, validated. */
export interface CommandBatch {
  readonly commands: readonly CommandRequest[];
  /** All at once instead of in order. */
  readonly parallel: boolean;
  /** What follows a failure is not done. */
  readonly stopOnError: boolean;
  /** All of it or nothing, as far as /workspace shows. */
  readonly transactional: boolean;
}

/** A batch as a client sends it, but for its commands, which are validated here. */
export interface BatchFields {
  readonly commands: readonly unknown[];
  readonly parallel?: boolean;
  readonly stopOnError?: boolean;
  readonly transactional?: boolean;
}

/** The fields of a batch beside its commands. */
export const batchFields = {
  transactional: Type.Optional(
    Type.Boolean({
      default: false,
      description:
        'After a failure, a cancellation or a lost connection /workspace is what it was before; so far only of commands that read and change files',
    }),
  ),
  parallel: Type.Optional(
    Type.Boolean({
      default: false,
      description: 'All at once, as many as maxConcurrency in initialize; otherwise in order',
    }),
  ),
  stopOnError: Type.Optional(
    Type.Boolean({
      description: 'Leave undone what follows a failure; default: true in order, and false with parallel',
    }),
  ),
};

const EXAMPLE_TYPES = ['write_file', 'read_file'] as const;
/** The fields of a batch as a client sends them, and what it answers but for ids and times. */
export const BATCH_EXAMPLE = {
  fields: { commands: EXAMPLE_TYPES.map(type => ({ type, ...EXAMPLES[type].fields })) },
  result: {
    success: true,
    results: EXAMPLE_TYPES.map(exampleReply),
    completed: EXAMPLE_TYPES.length,
    rolledBack: false,
    contextsRestarted: [],
  },
};

/** What came of a batch. */
export const BatchResult = named(
  'BatchResult',
  Type.Object(
    {
      success: Type.Boolean({ description: 'All commands were done, and none failed' }),
      results: Type.Array(nullable(CommandResult), {
        description: 'In the order of the commands; null for one that was not done',
      }),
      completed: Type.Integer({ description: 'Commands that ended, well or not' }),
      rolledBack: Type.Boolean({ description: '/workspace was put back to what it was' }),
      contextsRestarted: Type.Array(Type.String(), {
        description: 'Interpreters whose state went when the batch was rolled back',
      }),
    },
    {
      description: 'What came of several commands',
      examples: [BATCH_EXAMPLE.result],
    },
  ),
);
export type BatchResult = Static<typeof BatchResult>;

/**
 * Reads the commands of a batch, all of them before any is run.
 * @throws {ServiceError} naming the field, e.g. `commands[3].path`
 */
export function parseBatch({ commands, parallel, stopOnError, transactional }: BatchFields): CommandBatch {
  if (parallel && stopOnError)
    throw invalid('stopOnError', 'not with parallel: no command of such a batch waits for another');
  return {
    commands: commands.map((command, i) => parseCommand(command, `commands[${i}]`)),
    parallel: parallel ?? false,
    stopOnError: stopOnError ?? !parallel,
    transactional: transactional ?? false,
  };
}
