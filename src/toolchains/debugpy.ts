import type { DebuggerSpec } from './debugger.ts';
import { KERNELS } from './toolchain.ts';

const VERSION = '1.8.22';

/**
 * Python's debugger. Of its wheels the one without compiled parts, which serves every version of Python; on 3.12 and newer it costs
 * a program without breakpoints nothing (sys.monitoring).
 */
export const debugpy: DebuggerSpec = {
  name: 'debugpy',
  version: VERSION,
  wheel: {
    project: 'debugpy',
    version: VERSION,
    sha256: 'a9e9d3550e15ca479c59333e90845029190531f0cacfedab3b815a57bd913947',
  },
  // As a directory and not as a module: PYTHONPATH is the session's own, and its programs would inherit it.
  argv: directory => ['python3', '-B', `${directory}/debugpy/adapter`],
  // Else it warns each program of modules that are frozen into the interpreter, where nobody sets a breakpoint.
  environment: { PYDEVD_DISABLE_FILE_VALIDATION: '1' },
  ownArguments: ['module', 'justMyCode', 'pathMappings', 'showReturnValue'],
  fixedArguments: {
    console: 'internalConsole',
    // Else each child process is held until a second client has come for it.
    subProcess: false,
    pythonArgs: ['-B'],
  },
  cells: {
    attach: {
      listen: { host: '127.0.0.1', port: 0 },
      subProcess: false,
      justMyCode: true,
      // Who steps out of a cell is not led into its kernel.
      rules: [{ path: `${KERNELS}/**`, include: false }],
    },
    waits: 'debugpyWaitingForServer',
  },
  // Ports inside, which an editor that shares the machine would forward.
  ownEvents: ['debugpySockets'],
  // It is of no use afterwards.
  unanswered: { restart: 'supportsRestartRequest' },
};
