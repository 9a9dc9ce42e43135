import { VERSION } from '../version.ts';
import type { DebuggerSpec } from './debugger.ts';
import { KERNELS } from './toolchain.ts';

/** A file's name stands for what a command is to run: only its ending counts. */
const before = (command: readonly string[]) => command.slice(0, -1);

/** What an interpreter runs on, and so how its inspector is spoken to. */
type Engine = 'v8' | 'webkit';

/**
 * The debugger of JavaScript's interpreters: our own adapter (src/kernels/debugging), which speaks to the inspector of one. `runs` is the
 * command that runs the adapter itself; `flagAt` where an option of the interpreter may stand in the command of a program.
 */
export function inspector(runs: readonly string[], flagAt: number, engine: Engine = 'v8'): DebuggerSpec {
  return {
    name: 'codebeaker-inspector',
    version: VERSION,
    wheel: null,
    argv: (_, run) => {
      const commands = { engine, flagAt, javascript: before(run('x.js')), typescript: before(run('x.ts')) };
      return [...runs, `${KERNELS}/debugging/adapter.mjs`, JSON.stringify(commands)];
    },
    environment: {},
    ownArguments: [],
    fixedArguments: {},
    ownEvents: [],
    unanswered: {},
  };
}
