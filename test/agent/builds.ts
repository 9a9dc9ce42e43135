import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { AGENT_FILE } from '../../src/agent/artifact.ts';

const FOLDER = join(import.meta.dirname, '../../src/agent');
const SANITIZED = join(FOLDER, 'build/agent-sanitized');
const FLAGS = [
  '-g1',
  '-O1',
  '-fno-omit-frame-pointer',
  '-U_FORTIFY_SOURCE',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
];

/** How a sanitizer ends a program that did what C does not define; nothing else here ends so. */
export const SANITIZER_EXIT = 99;
/** The agent ends without giving back its memory, as it should. */
export const SANITIZER_ENV = {
  ASAN_OPTIONS: `exitcode=${SANITIZER_EXIT}:detect_leaks=0`,
  UBSAN_OPTIONS: `exitcode=${SANITIZER_EXIT}:print_stacktrace=1`,
};

/** Outlives a run and a clone, named for all that it is made of and by: compiling it takes ten seconds of a core. */
const KEPT = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'codebeaker-tests');

/** Has it unless another process has made it since: of those that want it at once, all but one wait. */
const BUILD_ONCE = `
[ -e "$0" ] && [ -z "$(find ./*.c ./*.h ./*.sh -newer "$0")" ] && exit
kept=$1
shift
sum=$( (cat ./*.c ./*.h ./*.sh; echo "$@"; "\${CC:-cc}" --version) | sha256sum | cut -c 1-16)
if cp "$kept/agent-$sum" "$0.kept" 2>/dev/null; then
  mv "$0.kept" "$0"
  exit
fi
sh build.sh "$0" "$@"
if mkdir -p "$kept" && cp "$0" "$kept/agent-$sum.$$"; then
  mv "$kept/agent-$sum.$$" "$kept/agent-$sum"
  find "$kept" -name 'agent-*' -mtime +7 -delete
fi`;

/** What sandboxes run, or the same compiled with checks for every access and every number (gcc(1), -fsanitize). */
export function agentFile(build: 'shipped' | 'sanitized'): string {
  if (build === 'shipped') return AGENT_FILE;
  const changed = Math.max(...globSync(`${FOLDER}/*.{c,h,sh}`).map(file => statSync(file).mtimeMs));
  if ((statSync(SANITIZED, { throwIfNoEntry: false })?.mtimeMs ?? 0) < changed) {
    mkdirSync(dirname(SANITIZED), { recursive: true });
    execFileSync('flock', [`${SANITIZED}.lock`, 'sh', '-ec', BUILD_ONCE, SANITIZED, KEPT, ...FLAGS], {
      cwd: FOLDER,
    });
  }
  return SANITIZED;
}
