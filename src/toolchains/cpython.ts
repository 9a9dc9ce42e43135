import { KERNELS, type Toolchain } from './toolchain.ts';

const PROBE = `
import platform
print(platform.python_version(), flush=True)
print(open('/proc/self/smaps_rollup').read())
`;

/**
 * `-B`: no __pycache__ among a session's files, and no stale one when a file is written twice within a second.
 * `-u`: what a program printed before it was killed is there, whatever its environment says.
 * `-I` for the kernel: nothing planted in /workspace or HOME stands in for its own modules; it puts /workspace on
 * the path itself.
 */
export const cpython: Toolchain = {
  name: 'cpython',
  run: file => ['python3', '-B', '-u', file],
  kernel: {
    argv: () => ['python3', '-I', '-B', '-u', `${KERNELS}/python/kernel.py`],
    warmUp: 'print(end="")',
    interruptible: true,
    preforks: true,
  },
  prewarm: {
    argv: file => ['python3', '-B', '-u', file],
    environment: { PYTHONPATH: `${KERNELS}/prewarm/python` },
    readsAtStart: null,
    preforks: true,
  },
  version: ['python3', '-I', '-c', 'import platform; print(platform.python_version())'],
  probe: ['python3', '-I', '-c', PROBE],
  remedy: { command: 'apt-get install -y python3', asRoot: true },
};
