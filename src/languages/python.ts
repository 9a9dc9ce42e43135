import { KERNELS, type Language, type Toolchain } from './language.ts';

/**
 * `-B`: no __pycache__ among a session's files, and no stale one when a file is written twice within a second.
 * `-u`: what a program printed before it was killed is there, whatever its environment says.
 * `-I` for the kernel: nothing planted in /workspace or HOME stands in for its own modules; it puts /workspace on
 * the path itself.
 */
const cpython: Toolchain = {
  run: file => ['python3', '-B', '-u', file],
  kernel: {
    argv: () => ['python3', '-I', '-B', '-u', `${KERNELS}/python/kernel.py`],
    warmUp: 'print(end="")',
    interruptible: true,
    forks: true,
  },
  parking: {
    argv: file => ['python3', '-B', '-u', file],
    environment: { PYTHONPATH: `${KERNELS}/parking/python` },
    readsAtStart: null,
    forks: true,
  },
  version: ['python3', '-I', '-c', 'import platform; print(platform.python_version())'],
};

export const python: Language = {
  name: 'python',
  displayName: 'Python',
  aliases: ['py', 'python3'],
  dockerImage: 'codebeaker-python:latest',
  fileName: 'main.py',
  runtimes: { Python: cpython, Docker: cpython },
};
