import type { DebuggerSpec } from './debugger.ts';

/** Where sandboxes for Go find it, below /usr/local. */
export const DELVE_TREE = 'lib/delve';

/**
 * Go's debugger, as an adapter of ours has it (src/delve): built for the machine's own Go, it builds what it debugs as programs are built,
 * but for what would hide variables and lines. `meanings` are of what the compiler says, in patterns that Go has as well.
 */
export const delve = (meanings: readonly (readonly [RegExp, string])[]): DebuggerSpec => ({
  name: 'delve',
  // That of src/delve/go.mod.
  version: '1.27.2',
  wheel: null,
  argv: () => {
    const pairs = meanings.map(([says, means]) => [says.source, means]);
    return [`/usr/local/${DELVE_TREE}/adapter`, JSON.stringify(pairs)];
  },
  environment: {},
  traces: true,
  remedy: 'npm run go, and for containers npm run images golang; then start the server again',
  ownArguments: [
    'goroutineFilters',
    'hideSystemGoroutines',
    'showGlobalVariables',
    'showRegisters',
    'showRawStrings',
    'stackTraceDepth',
  ],
  fixedArguments: {
    mode: 'exec',
    outputMode: 'remote',
    // Else the program has the debugger's own.
    stdinFrom: '/dev/null',
  },
  ownEvents: [],
  // Once restarted, a program would write where nobody reads.
  unanswered: { restart: 'supportsRestartRequest', terminate: 'supportsTerminateRequest' },
});
