import { basename } from 'node:path/posix';
import type {
  Files,
  Measurement,
  Process,
  Sandbox,
  SandboxLimits,
  SandboxLost,
  SpawnSpec,
} from '../../sandbox.ts';
import { SURROUNDINGS } from '../surroundings.ts';
import { Parked } from './parked.ts';
import type { Shelved } from './shelf.ts';
import type { Stock } from './stock.ts';

/**
 * A sandbox nobody has used, with an interpreter waiting in it. Starting that interpreter hands it over; everything else
 * is the sandbox's own.
 */
export class WarmSandbox implements Shelved {
  readonly files: Files;
  readonly #closing = Promise.withResolvers<void>();
  readonly #sandbox: Sandbox;
  readonly #stock: Stock;
  #parked: Parked | null;

  private constructor(sandbox: Sandbox, stock: Stock, parked: Parked | null) {
    this.#sandbox = sandbox;
    this.#stock = stock;
    this.#parked = parked;
    this.files = this.#watched(sandbox.files);
  }

  /** Closes the sandbox when it can't be made ready. @throws {SandboxLost} */
  static async prepare(sandbox: Sandbox, stock: Stock): Promise<WarmSandbox> {
    try {
      const { interpreter } = stock;
      if (interpreter?.kind === 'program') await sandbox.files.write(interpreter.file, new Uint8Array(0));
      const env = { ...SURROUNDINGS, ...sandbox.environment };
      const parked = interpreter && (await Parked.start(sandbox, interpreter, env));
      return new WarmSandbox(sandbox, stock, parked);
    } catch (error) {
      await sandbox.close();
      throw error;
    }
  }

  get id(): string {
    return this.#sandbox.id;
  }

  get environment(): Readonly<Record<string, string>> {
    return this.#sandbox.environment;
  }

  get forks(): boolean {
    return this.#sandbox.forks;
  }

  get lost(): Promise<SandboxLost> {
    return this.#sandbox.lost;
  }

  async spawn(spec: SpawnSpec): Promise<Process> {
    const parked = this.#parked;
    if (parked?.fits(spec)) {
      this.#parked = null;
      return parked.take(spec);
    }
    // A kernel may still be wanted; a program that waits would only be in the way of the one that runs.
    if (this.#stock.purpose === 'program') this.#drop();
    return this.#sandbox.spawn(spec);
  }

  measure(): Promise<Measurement> {
    return this.#sandbox.measure();
  }

  resetPeaks(): void {
    this.#sandbox.resetPeaks();
  }

  limitMemory(bytes: number): Promise<boolean> {
    return this.#sandbox.limitMemory(bytes);
  }

  resize(limits: SandboxLimits): Promise<boolean> {
    return this.#sandbox.resize(limits);
  }

  diskFull(): boolean {
    return this.#sandbox.diskFull();
  }

  get closing(): Promise<void> {
    return this.#closing.promise;
  }

  close(): Promise<void> {
    this.#closing.resolve();
    return this.#sandbox.close();
  }

  #drop(): void {
    this.#parked?.kill();
    this.#parked = null;
  }

  /** Notices files that the interpreter would have read had it been started now. */
  #watched(files: Files): Files {
    const { interpreter } = this.#stock;
    const names = interpreter?.kind === 'program' ? interpreter.readsAtStart : null;
    if (!names) return files;
    return {
      write: (path, data, options) => {
        if (names.test(basename(path))) this.#drop();
        return files.write(path, data, options);
      },
      read: (...call) => files.read(...call),
      makeDirectory: (...call) => files.makeDirectory(...call),
      copy: (...call) => files.copy(...call),
      move: (...call) => files.move(...call),
      remove: (...call) => files.remove(...call),
      list: (...call) => files.list(...call),
      clear: () => files.clear(),
    };
  }
}
