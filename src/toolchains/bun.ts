import { WORKSPACE } from '../sandbox.ts';
import { inspector } from './inspector.ts';
import { BEHIND_OFFLINE, KERNELS, type Toolchain } from './toolchain.ts';
import { WARM_UP } from './warm-up.ts';

const BUN = `${BEHIND_OFFLINE}/bun`;

const PROBE = `
console.log(Bun.version);
console.log(await Bun.file('/proc/self/smaps_rollup').text());
`;

/**
 * Bun runs JavaScript and TypeScript alike. `--no-install`: a missing package is an error at once instead of a search
 * on the network. The kernel starts in its own directory, because Bun reads bunfig.toml, .env, package.json and
 * tsconfig.json of the one it starts in: what a program plants in /workspace must not keep it from starting.
 */
export const bun: Toolchain = {
  name: 'bun',
  run: file => [BUN, '--no-install', file],
  kernel: {
    argv: () => ['env', '-C', `${KERNELS}/javascript`, BUN, '--no-install', 'bun.js', WORKSPACE],
    warmUp: WARM_UP,
    interruptible: false,
  },
  prewarm: {
    argv: file => [BUN, '--no-install', '--preload', `${KERNELS}/prewarm/bun/hold.js`, file],
    environment: {},
    preforks: true,
    // What `Bun.spawn` gives a program's children knows nothing of what was set since (Bun 1.4).
    keepsEnvironment: true,
    readsAtStart: /^(?:bunfig\.toml|package\.json|[jt]sconfig.*\.json|\.env.*)$/,
  },
  countsCpus: true,
  // In its own directory, as the kernel.
  debugger: inspector(['env', '-C', `${KERNELS}/debugging`, BUN, '--no-install'], 1, 'webkit'),
  version: [BUN, '--version'],
  probe: [BUN, '-e', PROBE],
  remedy: { command: 'npm rebuild bun', asRoot: false },
};
