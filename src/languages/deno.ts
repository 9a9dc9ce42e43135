import { WORKSPACE } from '../sandbox.ts';
import { type Grants, KERNELS, type Toolchain } from './language.ts';

/** Never asks, never looks at the network, and reads no deno.json that a program has planted. */
const FLAGS = [
  '--no-prompt',
  '--no-config',
  '--no-lock',
  '--no-remote',
  '--node-modules-dir=none',
  '--quiet',
];
/** What the kernel needs to come up; it gives both up before the first cell. */
const KERNEL_FLAGS = ['--allow-ffi', '--allow-sys'];
const OWN_FILES = [WORKSPACE, '/tmp'];

/** Deno runs JavaScript and TypeScript alike, with permissions of its own inside the sandbox. */
export const deno: Toolchain = {
  run: (file, grants) => [
    ...['deno', 'run', ...FLAGS, ...permissionFlags(grants)],
    ...[`--preload=${KERNELS}/javascript/require.mjs`, file],
  ],
  // It colours its errors even where nobody looks at a terminal.
  environment: { NO_COLOR: '1' },
  kernel: {
    argv: grants => [
      ...['deno', 'run', ...FLAGS, ...KERNEL_FLAGS, ...permissionFlags(grants)],
      ...[`${KERNELS}/javascript/v8.mjs`, WORKSPACE],
    ],
    warmUp: '1',
    interruptible: false,
  },
};

/** As the contract has them: a session's own files and variables, and no network. */
function permissionFlags({ permissions, variables }: Grants): string[] {
  const { allowRead = OWN_FILES, allowWrite = OWN_FILES, allowEnv = [...variables] } = permissions;
  return [flag('read', allowRead), flag('write', allowWrite), flag('env', allowEnv)].filter(Boolean);
}

/** Empty where nothing is allowed. */
function flag(name: string, allowed: boolean | readonly string[]): string {
  if (typeof allowed === 'boolean') return allowed ? `--allow-${name}` : '';
  return allowed.length > 0 ? `--allow-${name}=${allowed.join(',')}` : '';
}
