import { basename } from 'node:path/posix';
import type {
  Files,
  LayerPlace,
  Measurement,
  Process,
  Sandbox,
  SandboxLimits,
  SandboxLost,
  SandboxUsage,
  SpawnSpec,
} from '../../sandbox.ts';
import { KERNELS } from '../../toolchains/toolchain.ts';
import { BASE_ENV } from '../base-env.ts';
import type { SandboxSpec } from '../runtime.ts';
import type { AdvanceStarts } from './advance-starts.ts';
import type { Pooled } from './pool.ts';
import { interpreterFor, startOf } from './pool-key.ts';
import { Prewarmed } from './prewarmed.ts';

const AGENT = `${KERNELS}/agent`;

/**
 * An unused sandbox with a waiting interpreter. Spawning that interpreter's command hands it over; everything
 * else is passed to the sandbox.
 */
export class PooledSandbox implements Pooled {
  readonly files: Files;
  readonly #closing = Promise.withResolvers<void>();
  readonly #sandbox: Sandbox;
  readonly #spec: SandboxSpec;
  readonly #starts: AdvanceStarts | null;
  #prewarmed: Prewarmed | null = null;
  #warm: boolean;

  /** `starts`: of the pool that it is made for; null for one that somebody has asked for, whose limits may be too small to start anything. */
  constructor(sandbox: Sandbox, spec: SandboxSpec, starts: AdvanceStarts | null) {
    this.#sandbox = sandbox;
    this.#spec = spec;
    this.#starts = starts;
    this.#warm = interpreterFor(spec) === null;
    this.files = this.#watched(sandbox.files);
  }

  get warm(): boolean {
    return this.#warm;
  }

  /** Starts the interpreter; closes the sandbox when that fails. @throws {SandboxLost} */
  async warmUp(): Promise<void> {
    this.#warm = true;
    const [sandbox, spec] = [this.#sandbox, this.#spec];
    try {
      const interpreter = interpreterFor(spec);
      if (!interpreter || this.#starts?.rest) return;
      const env = { ...BASE_ENV, ...spec.toolchain.environment, ...sandbox.environment };
      // The interpreter is asked for right behind its file, in the same piece.
      const written =
        interpreter.kind === 'program' && sandbox.files.write(interpreter.file, new Uint8Array(0));
      const started = Prewarmed.start(sandbox, interpreter, env, startOf(spec));
      [this.#prewarmed] = await Promise.all([started, written]);
      this.#starts?.count(this.#prewarmed !== null);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get id(): string {
    return this.#sandbox.id;
  }

  get environment(): Readonly<Record<string, string>> {
    return this.#sandbox.environment;
  }

  get preforks(): boolean {
    return this.#sandbox.preforks;
  }

  get lost(): Promise<SandboxLost> {
    return this.#sandbox.lost;
  }

  async spawn(spec: SpawnSpec): Promise<Process> {
    const prewarmed = this.#prewarmed;
    if (prewarmed?.fits(spec)) {
      this.#prewarmed = null;
      return prewarmed.take(spec);
    }
    // A waiting kernel may still be used; a waiting program would only compete with the one that runs. What is ours ends before.
    if (this.#spec.purpose === 'program' && spec.argv[0] !== AGENT) this.#drop();
    return this.#sandbox.spawn(spec);
  }

  bring(layer: LayerPlace): Promise<void> {
    return this.#sandbox.bring(layer);
  }

  measure(): Promise<Measurement> {
    return this.#sandbox.measure();
  }

  usage(): Promise<SandboxUsage> {
    return this.#sandbox.usage();
  }

  begin(): Promise<Measurement> {
    return this.#sandbox.begin();
  }

  beginApart(): void {
    this.#sandbox.beginApart();
  }

  limitMemory(bytes: number): Promise<boolean> {
    return this.#sandbox.limitMemory(bytes);
  }

  resize(limits: SandboxLimits): Promise<boolean> {
    const { toolchain, limits: before } = this.#spec;
    if (toolchain.countsCpus && Math.ceil(limits.cpus) !== Math.ceil(before.cpus)) this.#drop();
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #drop(): void {
    this.#prewarmed?.kill();
    this.#prewarmed = null;
  }

  /** Drops the interpreter when a file is written that it would have read at its start. */
  #watched(files: Files): Files {
    const interpreter = interpreterFor(this.#spec);
    const names = interpreter?.kind === 'program' ? interpreter.readsAtStart : null;
    if (!names) return files;
    return {
      inChain: ask => files.inChain(ask),
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
      stat: (...call) => files.stat(...call),
      clear: () => files.clear(),
      begin: options => files.begin(options),
      commit: () => files.commit(),
      rollBack: () => files.rollBack(),
      link: (...call) => files.link(...call),
      openRead: path => files.openRead(path),
      openWrite: (path, options) => {
        if (names.test(basename(path))) this.#drop();
        return files.openWrite(path, options);
      },
    };
  }
}
