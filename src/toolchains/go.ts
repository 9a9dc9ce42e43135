import { dirname } from 'node:path/posix';
import { GO_PACKAGES } from '../sandbox.ts';
import { delve } from './delve.ts';
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
  GOMODCACHE: `${GO_PACKAGES}/mod`,
  GOFLAGS: '-trimpath',
  GOTELEMETRY: 'off',
  CGO_ENABLED: '0',
};

/** What Go says in its own terms, and what it means. Paths are what they are for a program of one file. Patterns are of lines. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [
    /requires exactly one main package/,
    'A program is `package main` with a `func main`. This file says that it belongs to another package, which other programs can import and nobody can run.',
  ],
  [
    /function main is undeclared in the main package/,
    'A program begins with `func main()`, which this one does not have: its name is in small letters, without arguments and results.',
  ],
  [
    /^go: no Go source files/m,
    '`import "C"` needs a C compiler, and only Go itself is here: this file can\'t be compiled.',
  ],
  [
    /build constraints exclude all Go files/,
    'What a build tag such as `//go:build windows`, the end of a file\'s name such as `_windows.go`, or `import "C"` excludes on Linux without a C compiler is left out, and then nothing of that package is left.',
  ],
  [
    /no required module provides package|cannot find module providing package|missing go\.sum entry for module|is not in (?:std|GOROOT)|module lookup disabled/,
    "Go's standard library is here, packages that come in `files` below a go.mod, and modules that are asked for in `packages`, such as github.com/google/uuid@v1.6.0. There is no network to download others.",
  ],
  [/expected 'package', found/, 'A Go file begins with its package; that of a program is `package main`.'],
];

const isBeside = (one: string, other: string) => dirname(one) === dirname(other);

export const gc: Toolchain = {
  name: 'go',
  // Of the mode, that a package other than main is an error. What lies in directories is found as packages. What only
  // debuggers read is left out (-w), which is a quarter of a small program's build; tracebacks are as ever.
  compile: (file, output, others) => {
    const beside = others.filter(other => isBeside(other, file) && /(?<!_test)\.go$/.test(other));
    return ['go', 'build', '-buildmode=exe', '-ldflags=-w', '-o', output, file, ...beside];
  },
  explain: words => MEANINGS.find(([says]) => says.test(words))?.[1] ?? null,
  run: output => [output],
  kernel: null,
  debugger: delve(MEANINGS),
  environment: SETTINGS,
  version: ['sh', '-c', 'go env GOVERSION | cut -c3-'],
  probe: ['sh', '-c', 'go env GOVERSION | cut -c3-; cat /proc/self/smaps_rollup'],
  remedy: { command: 'npm run go', asRoot: false },
  newestOnly: true,
};
