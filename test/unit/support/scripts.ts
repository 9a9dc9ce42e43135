import type { CellError, CellRequest } from '../../../src/kernels/protocol.ts';
import type { Ended, Script, Scripted } from './memory-process.ts';

/** Programs as data: what a test says they do. */

/** Prints a text and ends. */
export const prints =
  (text: string, end: Ended = {}, stream: 'stdout' | 'stderr' = 'stdout'): Script =>
  async (_, { print }) => {
    await print(text, stream);
    return end;
  };

/** Ends at once. */
export const ends =
  (end: Ended = {}): Script =>
  () =>
    end;

/** Runs until it is killed. */
export const runsOn: Script = (_, { killed }) =>
  new Promise(resolve => killed.addEventListener('abort', () => resolve({ signal: 'SIGKILL' })));

/** What came of a cell; no error, nothing to show where it says nothing. */
export interface CellReply {
  readonly results?: readonly object[];
  readonly error?: CellError;
}

export const cellError = (name: string, message = ''): CellError => ({
  name,
  message,
  traceback: `${name}!`,
});

/** A kernel that answers each cell with what `run` makes of it. */
export function kernel(
  run: (cell: CellRequest, program: Scripted) => CellReply | undefined | Promise<CellReply | undefined>,
): Script {
  return async (_, program) => {
    program.control({ ready: true });
    for await (const request of program.requests()) {
      const { cell } = request as { cell?: number };
      if (cell === undefined) continue;
      const reply = await run(request as unknown as CellRequest, program);
      for (const result of reply?.results ?? []) program.control({ cell, result });
      program.control({ cell, done: true, error: reply?.error ?? null });
    }
    return { signal: 'SIGKILL' };
  };
}

/** A kernel that echoes each cell's code. */
export const echo: Script = kernel(async ({ code }, { print }) => {
  await print(code);
  return undefined;
});

/** A kernel whose cells are functions by their code. */
export const cells = (
  table: Record<
    string,
    (program: Scripted, cell: CellRequest) => CellReply | undefined | Promise<CellReply | undefined>
  >,
): Script => kernel((cell, program) => table[cell.code]?.(program, cell));

/** What each program does by its name; kernels are told apart by their descriptor 3. */
export const byName =
  (table: Record<string, Script>): Script =>
  (spec, program) => {
    const name = spec.control ? 'kernel' : (spec.argv[0] ?? '');
    return (table[name] ?? table.other ?? ends({ code: 127 }))(spec, program);
  };
