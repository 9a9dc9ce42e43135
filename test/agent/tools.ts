import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { agentFile, SANITIZER_ENV } from './builds.ts';

const MAX_BYTES = 64 * 1024 * 1024;

export interface Ran {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A directory to be the root of the agent's subcommands, which are run sanitized. */
export class ToolRoot implements Disposable {
  readonly path = mkdtempSync('/dev/shm/codebeaker-tools-');

  at(name = ''): string {
    return name ? join(this.path, name) : this.path;
  }

  /** A version is the name of a file or a text. */
  diff(original: string | { text: string }, modified: string | { text: string }, contextLines = 3): Ran {
    const word = (version: string | { text: string }) =>
      typeof version === 'string' ? `path:${this.at(version)}` : `text:${Buffer.byteLength(version.text)}`;
    const stdin = [original, modified].map(version => (typeof version === 'string' ? '' : version.text));
    const words = [String(contextLines), String(MAX_BYTES), word(original), word(modified)];
    return run([agentFile('sanitized'), 'diff', this.path, ...words], stdin.join(''));
  }

  patch(patch: string | Uint8Array, { target = '', strip = 1, dryRun = false, reverse = false } = {}): Ran {
    const options = (dryRun ? 'd' : '') + (reverse ? 'r' : '') || '-';
    const words = [this.path, this.at('.aside'), this.at(target), String(strip), options];
    return run([agentFile('sanitized'), 'patch', ...words], patch);
  }

  /**
   * The same patch, killed by the system once a file that it writes has so many bytes (RLIMIT_FSIZE): what it writes aside is to be smaller,
   * so that it dies as it tells its journal what it is about to do.
   */
  patchKilledAt(bytes: number, patch: string, target = ''): Ran {
    const words = [this.path, this.at('.aside'), this.at(target), '1', '-'];
    return run(['prlimit', `--fsize=${bytes}`, agentFile('sanitized'), 'patch', ...words], patch);
  }

  /** Undoes what a patch has done that was killed. */
  undoPatch(target = ''): Ran {
    return run([agentFile('sanitized'), 'patch', this.path, this.at('.aside'), this.at(target), '1', 'u']);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export function run(argv: string[], input: string | Uint8Array = '', cwd?: string): Ran {
  const env = { ...process.env, ...SANITIZER_ENV, LANG: 'C.UTF-8' };
  const [program = '', ...words] = argv;
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    input,
    env,
    maxBuffer: MAX_BYTES,
    ...(cwd && { cwd }),
  });
  if (error) throw error;
  return { code: status, stdout, stderr: stderr.toString() };
}

/** The lines of JSON that a tool answered with. */
export const files = ({ stdout }: Ran) =>
  stdout
    .toString()
    .split('\n')
    .filter(line => line)
    .map(line => JSON.parse(line));
