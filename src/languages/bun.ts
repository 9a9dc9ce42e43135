import { KERNELS, type Toolchain } from './language.ts';

/**
 * Bun runs JavaScript and TypeScript alike. `--no-install`: a missing package is an error at once instead of a search
 * on the network. The kernel reads no bunfig.toml, .env or tsconfig.json of /workspace: what a program plants there
 * must not keep an interpreter from starting.
 */
export const bun: Toolchain = {
  run: file => ['bun', '--no-install', file],
  kernel: {
    argv: [
      'bun',
      '--no-install',
      '--no-env-file',
      `--config=${KERNELS}/javascript/bunfig.toml`,
      `${KERNELS}/javascript/bun.js`,
    ],
    interruptible: false,
  },
};
