import { createHash } from 'node:crypto';
import { BASE_ENV } from '../../runtimes/base-env.ts';
import { type Sandbox, WORKSPACE } from '../../sandbox.ts';

/** Limit of the check, milliseconds: other programs in the sandbox may stop it. */
const PATIENCE_MS = 2000;
/** Most programs kept: they are on the sandbox's disk, which is small. */
const KEPT = 8;

/** Compiled programs of a session, so that an unchanged program is not compiled again. */
export class CompiledPrograms {
  readonly #sandbox: Sandbox;
  /** Paths by source, least recently used first. */
  readonly #outputs = new Map<string, string>();

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /** Path of the compiled program; null when it was never compiled or the session's programs have removed it. */
  async find(language: string, code: string): Promise<string | null> {
    const key = keyOf(language, code);
    const output = this.#outputs.get(key);
    if (output === undefined) return null;
    this.#outputs.delete(key);
    if (!(await this.#run('test', '-e', output))) return null;
    this.#outputs.set(key, output);
    return output;
  }

  async keep(language: string, code: string, output: string): Promise<void> {
    this.#outputs.set(keyOf(language, code), output);
    if (this.#outputs.size <= KEPT) return;
    const [key, path] = this.#outputs.entries().next().value as [string, string];
    this.#outputs.delete(key);
    await this.#run('rm', '-f', path);
  }

  /** Whether a small program succeeds. */
  async #run(...argv: string[]): Promise<boolean> {
    const process = await this.#sandbox.spawn({ argv, cwd: WORKSPACE, env: BASE_ENV, stdin: 'none' });
    const timer = setTimeout(() => process.kill(), PATIENCE_MS);
    try {
      for await (const event of process.events) if (event.type === 'exit') return event.code === 0;
      return false;
    } finally {
      clearTimeout(timer);
    }
  }
}

function keyOf(language: string, code: string): string {
  return createHash('sha256').update(`${language}\0${code}`).digest('base64');
}
