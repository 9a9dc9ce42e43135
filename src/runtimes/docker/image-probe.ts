import { Type } from '@sinclair/typebox';
import type { Language } from '../../languages/language.ts';
import { type Sandbox, type SandboxLimits, SandboxLost, WORKSPACE } from '../../sandbox.ts';
import { BASE_ENV } from '../base-env.ts';
import { limitsFor } from '../default-limits.ts';
import { type RuntimeState, STARTING } from '../runtime.ts';
import { type Engine, EngineUnable } from './engine.ts';

const MB = 1024 * 1024;
const PROBE_LIMITS = limitsFor({ memoryMB: 256, cpus: 1 });
const PROBE_MS = 30_000;
/** A program that prints something sooner in its container, milliseconds, has not waited for a disk. */
const QUICK_MS = 1000;
const BUILD = 'npm run images';
const Image = Type.Object({ Id: Type.String() });

/** Measures our image of a language on the engine, in a container of it. */
export class ImageProbe {
  readonly image: string;
  readonly #engine: Engine;
  readonly #version: readonly string[];
  readonly #open: (image: string, limits: SandboxLimits) => Promise<Sandbox>;
  /** Identifier of the image that `state` describes. */
  #imageId: string | null = null;
  state: RuntimeState = { available: false, reason: STARTING, remedy: null, version: null };

  constructor(parts: {
    engine: Engine;
    language: Language;
    /** Prints the toolchain's version. */
    version: readonly string[];
    open: (image: string, limits: SandboxLimits) => Promise<Sandbox>;
  }) {
    const { dockerImage, name } = parts.language;
    if (!dockerImage) throw new Error(`${name} has no image`);
    this.image = dockerImage;
    this.#version = parts.version;
    this.#engine = parts.engine;
    this.#open = parts.open;
  }

  /** Probes the image unless it is the one probed last. @throws {EngineUnable} when the engine has gone */
  async look(): Promise<void> {
    const id = await this.#find();
    if (id !== null && id === this.#imageId) return;
    this.#imageId = null;
    if (id === null) {
      this.state = unavailable(`the image ${this.image} is not on the engine`, BUILD);
      return;
    }
    try {
      // The first run may read the interpreter from disk; a second shows what clients get then.
      const { state, programMs } = await this.#probeOnce();
      this.state = programMs < QUICK_MS ? state : (await this.#probeOnce()).state;
      this.#imageId = id;
    } catch (error) {
      if (error instanceof EngineUnable && error.status === null) throw error;
      this.state = unavailable(error instanceof Error ? error.message : String(error), BUILD);
    }
  }

  async #find(): Promise<string | null> {
    try {
      return (await this.#engine.ask(Image, docker => docker.getImage(this.image).inspect())).Id;
    } catch (error) {
      if (error instanceof EngineUnable && error.status === 404) return null;
      throw error;
    }
  }

  async #probeOnce(): Promise<{ state: RuntimeState; programMs: number }> {
    const startedAt = performance.now();
    const sandbox = await this.#open(this.image, PROBE_LIMITS);
    const openMs = performance.now() - startedAt;
    const timer = setTimeout(() => void sandbox.close().catch(() => {}), PROBE_MS);
    try {
      const env = { ...BASE_ENV, ...sandbox.environment };
      const process = await sandbox.spawn({ argv: this.#version, cwd: WORKSPACE, env, stdin: 'none' });
      let output = '';
      let startupMs = 0;
      for await (const event of process.events) {
        if (event.type !== 'output') continue;
        startupMs ||= round(performance.now() - startedAt);
        output += Buffer.from(event.data).toString('utf8');
      }
      const version = output.split('\n')[0]?.trim() ?? '';
      if (!/\d/.test(version)) throw new SandboxLost(`the toolchain said: ${output.slice(0, 200)}`);
      const { peakMemoryBytes } = await sandbox.measure();
      const memoryMB = round((peakMemoryBytes ?? 0) / MB);
      return { state: { available: true, version, startupMs, memoryMB }, programMs: startupMs - openMs };
    } finally {
      clearTimeout(timer);
      // Not left to the scope's end: what the engine can't close is the error to report, and not a suppressed one.
      await sandbox.close();
    }
  }
}

function unavailable(reason: string, remedy: string): RuntimeState {
  return { available: false, reason, remedy, version: null };
}

/** Rounds to a tenth. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
