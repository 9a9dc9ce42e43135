import type { DebuggerSpec } from './debugger.ts';

/**
 * Python's debugger. Of its wheels the one without compiled parts, which serves every version of Python; on 3.12 and newer it costs
 * a program without breakpoints nothing (sys.monitoring).
 */
export const debugpy: DebuggerSpec = {
  name: 'debugpy',
  wheel: {
    project: 'debugpy',
    version: '1.8.22',
    sha256: 'TO_BE_FILLED',
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
  // It is of no use afterwards.
  unanswered: { restart: 'supportsRestartRequest' },
};
