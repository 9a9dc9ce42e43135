/**
 * Programs of Python that run something else in their place. They unpack what a client sent inside the sandbox, where a hostile archive
 * meets the limits of its own submission and nothing of the service's.
 */

/** Where the archive lies, and what the scripts of an archive are called: relative to /workspace. */
export const ARCHIVE = 'additional_files.zip';
/** What a compile script printed that failed. */
export const COMPILE_FAILED = '.compile_failed';

/** Removes itself; Python ignores two signals, which what comes after must not. */
const BEGIN = `
import os, signal, subprocess, sys
os.remove(sys.argv[0])
for name in (signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(name, signal.SIG_DFL)
`;

/** Nothing that is there is replaced; zipfile keeps names below the directory. */
const UNPACK = `
import zipfile
with zipfile.ZipFile('${ARCHIVE}') as archive:
    for entry in archive.infolist():
        if os.path.lexists(entry.filename):
            continue
        path = archive.extract(entry)
        mode = entry.external_attr >> 16 & 0o777
        if mode and not entry.is_dir():
            os.chmod(path, mode | 0o600)
os.remove('${ARCHIVE}')
`;

const COMPILE = `
for name in ('compile.sh', 'compile'):
    if os.path.isfile(name):
        with open('${COMPILE_FAILED}', 'wb') as words:
            failed = subprocess.call(['bash', name], stdin=subprocess.DEVNULL, stdout=words, stderr=words)
        if failed:
            sys.exit(1)
        os.remove('${COMPILE_FAILED}')
        break
`;

const RUN_PROJECT = `
script = next((name for name in ('run.sh', 'run') if os.path.isfile(name)), None)
if script is None:
    sys.exit('additional_files has no script named run')
os.execvp('bash', ['bash', script, *sys.argv[1:]])
`;

/** The program that runs a source file, or the scripts of an archive. */
export function scriptProgram(
  kind: 'bash' | 'python' | 'project',
  { source, unpack }: { source: string; unpack: boolean },
): string {
  const begin = unpack ? BEGIN + UNPACK : BEGIN;
  if (kind === 'project') return begin + COMPILE + RUN_PROJECT;
  const argv = kind === 'bash' ? ['bash', source] : ['python3', '-B', source];
  return `${begin}\nos.execvp('${argv[0]}', [${argv.map(word => `'${word}'`).join(', ')}, *sys.argv[1:]])\n`;
}
