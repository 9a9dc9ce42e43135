import { createHash } from 'node:crypto';
import { BASE_ENV } from '../../runtimes/base-env.ts';
import { type Sandbox, WORKSPACE } from '../../sandbox.ts';

/** What else runs in the sandbox may stop it. */
const PATIENCE_MS = 2000;
/** They lie on the sandbox's own disk, which is small. */
const KEPT = 8;

/** What a session has compiled, so that an unchanged program does not compile again. */
export class CompiledPrograms {
  readonly #sandbox: Sandbox;
  /** Path by what it was compiled from, the one used last at the end. */
  readonly #outputs = new Map<string, string>();

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /** Null when it was not compiled here, or is not there any more: programs of the session may have removed it. */
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
