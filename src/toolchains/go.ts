import { dirname } from 'node:path/posix';
import type { Toolchain } from './toolchain.ts';

/**
 * Go never looks at the network. The image, or the local runtime, has a GOCACHE of its own where the standard library was
 * compiled beforehand, and which no program may write to.
 */
const SETTINGS = {
  GOCACHE: '/tmp/.go-cache',
  // It would want to keep an index of the library there too.
  GODEBUG: 'goindex=0',
  GOTOOLCHAIN: 'local',
  GOPROXY: 'off',
  GOFLAGS: '-trimpath',
  GOTELEMETRY: 'off',
  CGO_ENABLED: '0',
};

const isBeside = (one: string, other: string) => dirname(one) === dirname(other);

export const gc: Toolchain = {
  name: 'go',
  // Of the mode, that a package other than main is an error. What lies in directories is found as packages.
  compile: (file, output, others) => {
    const beside = others.filter(other => isBeside(other, file) && /(?<!_test)\.go$/.test(other));
    return ['go', 'build', '-buildmode=exe', '-o', output, file, ...beside];
  },
  run: output => [output],
  kernel: null,
  environment: SETTINGS,
  version: ['sh', '-c', 'go env GOVERSION | cut -c3-'],
  probe: ['sh', '-c', 'go env GOVERSION | cut -c3-; cat /proc/self/smaps_rollup'],
  remedy: { command: 'apt-get install -y golang-go', asRoot: true },
};
