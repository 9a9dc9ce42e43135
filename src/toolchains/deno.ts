import { WORKSPACE } from '../sandbox.ts';
import { BEHIND_OFFLINE, KERNELS, NO_PERMISSIONS, type Permissions, type Toolchain } from './toolchain.ts';
import { WARM_UP } from './warm-up.ts';

/** Never asks, loads no module from the network, and reads no deno.json that a program has planted. */
const FLAGS = [
  '--no-prompt',
  '--no-config',
  '--no-lock',
  '--no-remote',
  '--node-modules-dir=manual',
  '--quiet',
  // It would be written for each program afresh, and never read.
  '--no-code-cache',
  // Files of TypeScript may be imported as TypeScript allows: without an ending, or with that of what is compiled.
  '--unstable-sloppy-imports',
];
/** A program that is no ES module is one of CommonJS, as on Node.js; of TypeScript, the file that is loaded before it says. */
const programFlags = (file: string) => (file.endsWith('.ts') ? [] : ['--unstable-detect-cjs']);
/** What the kernel, and what waits before a program, need to come up; they give it up before a cell or a program runs. */
const START_FLAGS = ['--allow-ffi'];
const WRITABLE = [WORKSPACE, '/tmp', '/dev/null'];
/** Devices that tell nothing, and the session's own files. */
const READABLE = [...WRITABLE, '/dev/zero', '/dev/random', '/dev/urandom'];

/** A sandbox's own addresses and names, and what a server takes for all of its addresses. */
const LOOPBACK = ['127.0.0.1', '127.0.1.1', '[::1]', 'localhost', 'sandbox', '0.0.0.0', '[::]'];

const DENO = `${BEHIND_OFFLINE}/deno`;

const PROBE = `
console.log(Deno.version.deno);
console.log(Deno.readTextFileSync('/proc/self/smaps_rollup'));
`;

/** Deno runs JavaScript and TypeScript alike, with permissions of its own inside the sandbox. */
export const deno: Toolchain = {
  name: 'deno',
  run: (file, permissions) => [
    ...[DENO, 'run', ...FLAGS, ...programFlags(file), ...permissionFlags(permissions)],
    ...[`--preload=${KERNELS}/javascript/require.mjs`, file],
  ],
  // It colours its errors even where nobody looks at a terminal.
  environment: { NO_COLOR: '1' },
  kernel: {
    argv: permissions => [
      ...[DENO, 'run', ...FLAGS, ...START_FLAGS, ...permissionFlags(permissions)],
      ...[`${KERNELS}/javascript/deno.mjs`, WORKSPACE],
    ],
    warmUp: WARM_UP,
    interruptible: false,
  },
  prewarm: {
    argv: file => [
      ...[DENO, 'run', ...FLAGS, ...programFlags(file), ...START_FLAGS, ...permissionFlags(NO_PERMISSIONS)],
      ...[`--preload=${KERNELS}/javascript/held.mjs`, file],
    ],
    environment: {},
    readsAtStart: /^(?:package\.json|deno\.jsonc?|[jt]sconfig.*\.json)$/,
  },
  countsCpus: true,
  version: [DENO, '--version'],
  probe: [DENO, 'eval', '--no-config', '--no-lock', PROBE],
  remedy: { command: 'npm rebuild deno', asRoot: false },
  permissions: true,
};

/**
 * A session's own files and variables, and the network that it has. A client who asks for no permissions may also start programs, as on every
 * other runtime, and needs the whole environment for that; it holds nothing but the session's own; and it may use its sandbox's loopback. Once permissions
 * matter to a client, no program is started that would not be held to them.
 */
function permissionFlags({ asked, variables, network }: Permissions): string[] {
  const { allowRead = READABLE, allowWrite = WRITABLE, allowNet = true, allowEnv } = asked ?? {};
  const env = allowEnv ?? (asked ? variables : true);
  const files = [flag('read', allowRead), flag('write', allowWrite)];
  const loopback = asked ? '' : flag('net', LOOPBACK);
  const net = network ? flag('net', allowNet) : loopback;
  return [...files, flag('env', env), net, asked ? '' : '--allow-run', '--allow-sys'].filter(Boolean);
}

/** Empty where nothing is allowed. */
function flag(name: string, allowed: boolean | readonly string[]): string {
  if (typeof allowed === 'boolean') return allowed ? `--allow-${name}` : '';
  return allowed.length > 0 ? `--allow-${name}=${allowed.join(',')}` : '';
}
