import { debugpy } from './debugpy.ts';
import { KERNELS, type Toolchain } from './toolchain.ts';

const PROBE = `
import platform
print(platform.python_version(), flush=True)
print(open('/proc/self/smaps_rollup').read())
`;

/**
 * `-B`: no __pycache__ among a session's files, also where there is nothing of src/kernels/every-python.
 * `-I` for the kernel: nothing planted in /workspace or HOME stands in for its own modules; it puts /workspace on
 * the path itself.
 */
export const cpython: Toolchain = {
  name: 'cpython',
  run: file => ['python3', '-B', file],
  kernel: {
    argv: () => ['python3', '-I', '-B', `${KERNELS}/python/importlib_bootstrap/kernel.py`],
    warmUp: 'print(end="")',
    interruptible: true,
    preforks: true,
  },
  prewarm: {
    argv: file => ['python3', '-B', file],
    environment: { PYTHONPATH: `${KERNELS}/prewarm/python` },
    readsAtStart: null,
    preforks: true,
  },
  debugger: debugpy,
  version: ['python3', '-I', '-c', 'import platform; print(platform.python_version())'],
  probe: ['python3', '-I', '-c', PROBE],
  remedy: { command: 'apt-get install -y python3', asRoot: true },
};
