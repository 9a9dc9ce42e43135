import { readFileSync, writeFileSync } from 'node:fs';
import { Script } from 'node:vm';
import { evaluated, type Wrapped } from './evaluated.ts';

const { parse } = JSON;

/**
 * What lies beside a kernel or a program of Node.js: scripts as strings of JSON (src/runtimes/kernel-bundles.ts), and for each what V8
 * had compiled of it when the library was built. Compiling takes longer than all else that a kernel does at its start. Another V8 than
 * that one compiles again.
 */
export class Bundles {
  readonly #directory: string;
  readonly #scripts = new Map<string, Script>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What a script exports. */
  run<T>(name: string): T {
    const text = parse(readFileSync(this.#place(`${name}.json`), 'latin1')) as string;
    const script = new Script(text, { cachedData: this.#compiled(name) });
    this.#scripts.set(name, script);
    return evaluated<T>(script.runInThisContext() as Wrapped);
  }

  /** Writes down what is compiled by now of all that has run. */
  keep(): void {
    for (const [name, script] of this.#scripts)
      writeFileSync(this.#place(`${name}.cache`), script.createCachedData());
  }

  #compiled(name: string): Buffer | undefined {
    try {
      return readFileSync(this.#place(`${name}.cache`));
    } catch {
      return undefined;
    }
  }

  #place(file: string): string {
    return `${this.#directory}/${file}`;
  }
}
