import { WORKSPACE } from '../sandbox.ts';
import { KERNELS, type Toolchain } from './toolchain.ts';
import { WARM_UP } from './warm-up.ts';

/** Enums and the like need more than types taken out; Node.js warns that it is an experiment. */
const FLAGS = ['--experimental-transform-types', '--disable-warning=ExperimentalWarning'];
/** So that an ES module may call `require` too. */
const REQUIRE = ['--require', `${KERNELS}/javascript/require.cjs`];

const PROBE = `
console.log(process.versions.node);
console.log(require('node:fs').readFileSync('/proc/self/smaps_rollup', 'utf8'));
`;

/** Node.js runs JavaScript and, since version 22, TypeScript. */
export const node: Toolchain = {
  name: 'node',
  run: file => ['node', ...FLAGS, ...REQUIRE, file],
  kernel: {
    argv: () => ['node', ...FLAGS, `${KERNELS}/javascript/node.cjs`, WORKSPACE],
    warmUp: WARM_UP,
    interruptible: true,
  },
  prewarm: {
    argv: file => ['node', ...FLAGS, ...REQUIRE, '--require', `${KERNELS}/prewarm/node.cjs`, file],
    environment: {},
    readsAtStart: null,
  },
  version: ['node', '-p', 'process.versions.node'],
  probe: ['node', '-e', PROBE],
  remedy: { command: 'npm rebuild node', asRoot: false },
};
