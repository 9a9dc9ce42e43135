import { GO_PACKAGES } from '../sandbox.ts';
import type { Ecosystem } from './ecosystem.ts';
import { listInGoMod } from './go-mod-file.ts';
import { goRequirements } from './requirements.ts';

const OUT = '/workspace/out';
const MODULE = `${OUT}/go`;
const ENV = {
  GOCACHE: '/workspace/gocache',
  GOENV: 'off',
  GOFLAGS: '-modcacherw',
  GOMODCACHE: `${MODULE}/mod`,
  GOPATH: '/workspace/gopath',
  // Else an image's own would switch checking off.
  GOPRIVATE: '',
  GOTOOLCHAIN: 'local',
  GOTELEMETRY: 'off',
  GOVCS: '*:off',
};
const WRONG = /checksum mismatch|SECURITY ERROR|not a valid zip|create zip|unzip|has unexpected file/;
/** A version that is not there, or a package that no module has. */
const NOT_FOUND =
  /^go: (?:module )?(?<name>\S+): .*(?:404 Not Found|no matching versions|unknown revision)|does not contain package (?<package>\S+)$/m;
/** Nobody has told the checksum database of it, as of what is private. */
const UNKNOWN_SUM = /^go: (?:module )?(?<name>\S+): verifying .*(?:404 Not Found|410 Gone)$/m;
/** The one that Go came with, whatever else of that name is said by others. */
const WITH_GO = 'export PATH="/usr/local/go/bin:$PATH"; ';
/**
 * Brings what the other packages of the modules import, as far as that can be had in so many seconds, which leave as many to the rest
 * of an install: programs may import each of them. What lies unpacked is not needed a second time; what go was unpacking when its time
 * was over, beside which it has left a mark, is half there and goes.
 */
const WIDER = `
cd ${MODULE}
timeout 30 go get "$@"
timeout 30 go mod download
find mod/cache/download -name '*.partial' | sed 's|^mod/cache/download/||; s|/@v/|@|; s|\\.partial$||' |
while read -r half; do
  rm -rf "mod/$half"
done
find mod/cache -type f \\( -name '*.zip' -o -name '*.tmp' -o -name '*.partial' -o -name '*.lock' -o -name lock \\) -delete`;

/**
 * Go: modules, by the go of the sandbox itself, which runs nothing of them. It checks them by the checksum database; their sums are
 * compared once more with what lies in the layer. The layer holds a module of its own that requires them, whose go.mod every program
 * finds that has none.
 */
export const go: Ecosystem = {
  name: 'go',
  manager: 'go',
  otherManagers: [],
  links: { [GO_PACKAGES]: 'go' },
  path: null,
  // A go.mod names the version of Go that wrote it.
  portable: false,
  builds: false,
  spelled: name => name,
  allows: (versions, version) => versions === version,
  parse: goRequirements,
  listIn: (file, text) => (/(?:^|\/)go\.mod$/.test(file) ? listInGoMod(text) : null),
  tool: () => ({ kind: 'inside' }),
  files: () => ({}),
  joinsLists: false,
  picks: false,
  resolution: null,
  steps: ({ gateway, list, checksums }) => {
    const env = {
      ...ENV,
      GOPROXY: `${gateway}/go`,
      GOSUMDB: checksums?.key ?? 'off',
      GONOSUMDB: checksums?.except ?? '',
    };
    const named = list.map(({ name, versions }) => `${name}@${versions}`);
    const below = list.map(({ name, versions }) => `${name}/...@${versions}`);
    return [
      {
        argv: sh(
          `mkdir -p ${MODULE} && cd ${MODULE} && go mod init session 2>/dev/null && exec go get "$@"`,
          named,
        ),
        env,
      },
      { argv: sh(WIDER, [...named, ...below]), env },
    ];
  },
  later: [],
  out: OUT,
  reasonOf(words) {
    if (WRONG.test(words)) return 'digest';
    return NOT_FOUND.test(words) ? 'not_found' : null;
  },
  missingIn(words) {
    const { name: unchecked } = UNKNOWN_SUM.exec(words)?.groups ?? {};
    if (unchecked !== undefined)
      return `${unchecked} in the checksum database of this server, whose operator names what is private by GOPRIVATE or GONOSUMDB`;
    const { name, package: inside } = NOT_FOUND.exec(words)?.groups ?? {};
    return name ?? inside ?? null;
  },
};

function sh(script: string, args: readonly string[]): string[] {
  return ['sh', '-c', WITH_GO + script, 'sh', ...args];
}
