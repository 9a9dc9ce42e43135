import type { Language, Toolchain } from './language.ts';

/**
 * Go never looks at the network. The image, or the local runtime, has a GOCACHE of its own where the standard library was
 * compiled beforehand, and which no program may write to. Of files beside main.go, packages are found, as `go build FILE`
 * does.
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

const gc: Toolchain = {
  compile: (file, output) => ['go', 'build', '-o', output, file],
  run: output => [output],
  kernel: null,
  environment: SETTINGS,
  version: ['sh', '-c', 'go env GOVERSION | cut -c3-'],
};

export const go: Language = {
  name: 'go',
  displayName: 'Go',
  aliases: ['golang'],
  dockerImage: 'codebeaker-golang:latest',
  fileName: 'main.go',
  runtimes: { Go: gc, Docker: gc },
};
