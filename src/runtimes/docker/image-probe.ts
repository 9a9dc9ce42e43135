import { Type } from '@sinclair/typebox';
import type { Language } from '../../languages/language.ts';
import { type Sandbox, type SandboxLimits, SandboxLost, WORKSPACE } from '../../sandbox.ts';
import { BASE_ENV } from '../base-env.ts';
import { limitsFor } from '../default-limits.ts';
import { type RuntimeState, STARTING } from '../runtime.ts';
import { type Engine, EngineUnable } from './engine.ts';

const MB = 1024 * 1024;
const LIMITS = limitsFor({ memoryMB: 256, cpus: 1 });
const PROBE_MS = 30_000;
const BUILD = 'npm run images';
const Image = Type.Object({ Id: Type.String() });

/** What one language's own image is worth on the engine, measured with a container of it. */
export class ImageProbe {
  readonly image: string;
  readonly #engine: Engine;
  readonly #version: readonly string[];
  readonly #open: (image: string, limits: SandboxLimits) => Promise<Sandbox>;
  /** Of the image that `state` tells of. */
  #imageId: string | null = null;
  state: RuntimeState = { available: false, reason: STARTING, cure: null, version: null };

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

  /** Probes the image unless it is still the one probed last. @throws {EngineUnable} when the engine is not there */
  async look(): Promise<void> {
    const id = await this.#find();
    if (id !== null && id === this.#imageId) return;
    this.#imageId = null;
    if (id === null) {
      this.state = unavailable(`the image ${this.image} is not on the engine`, BUILD);
      return;
    }
    try {
      // The first run reads the interpreter from disk; the second shows what a client will see.
      await this.#probeOnce();
      this.state = await this.#probeOnce();
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

  async #probeOnce(): Promise<RuntimeState> {
    const startedAt = performance.now();
    await using sandbox = await this.#open(this.image, LIMITS);
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
      return { available: true, version, startupMs, memoryMB: round((peakMemoryBytes ?? 0) / MB) };
    } finally {
      clearTimeout(timer);
    }
  }
}

function unavailable(reason: string, cure: string): RuntimeState {
  return { available: false, reason, cure, version: null };
}

/** To a tenth. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
