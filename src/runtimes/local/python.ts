import { asRoot } from './cures.ts';
import type { LocalRuntimeData } from './local-runtime.ts';

const PROBE = `
import platform
print(platform.python_version(), flush=True)
print(open('/proc/self/smaps_rollup').read())
`;

export const python: LocalRuntimeData = {
  type: 'Python',
  languages: ['python'],
  probe: ['python3', '-I', '-c', PROBE],
  cure: asRoot('apt-get install -y python3'),
};
