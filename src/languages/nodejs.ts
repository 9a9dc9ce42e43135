import { WORKSPACE } from '../sandbox.ts';
import { KERNELS, type Toolchain } from './language.ts';

/** Enums and the like need more than types taken out; Node.js warns that it is an experiment. */
const FLAGS = ['--experimental-transform-types', '--disable-warning=ExperimentalWarning'];
/** So that an ES module may call `require` too. */
const REQUIRE = ['--require', `${KERNELS}/javascript/require.cjs`];

/** Node.js runs JavaScript and, since version 22, TypeScript. */
export const nodejs: Toolchain = {
  run: file => ['node', ...FLAGS, ...REQUIRE, file],
  kernel: {
    argv: () => ['node', ...FLAGS, `${KERNELS}/javascript/v8.mjs`, WORKSPACE],
    warmUp: '1',
    interruptible: true,
  },
  parking: {
    argv: file => ['node', ...FLAGS, ...REQUIRE, '--require', `${KERNELS}/parking/node.cjs`, file],
    environment: {},
    readsAtStart: null,
  },
  version: ['node', '-p', 'process.versions.node'],
};
