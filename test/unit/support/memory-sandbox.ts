import { randomUUID } from 'node:crypto';
import type { SandboxSpec } from '../../../src/runtimes/runtime.ts';
import {
  type Measurement,
  type Process,
  type Sandbox,
  type SandboxLimits,
  SandboxLost,
  type SandboxUsage,
  type SpawnSpec,
} from '../../../src/sandbox.ts';
import { MemoryFiles } from './memory-files.ts';
import { MemoryProcess, type Script } from './memory-process.ts';

const UNUSED: Measurement = {
  cpuMs: 0,
  peakMemoryBytes: 1_000_000,
  peakProcesses: 1,
  oomKills: 0,
  forksRefused: 0,
};

/** A sandbox that is an object. Faults are set on it: what it measures, that its disk is full, that it is lost. */
export class MemorySandbox implements Sandbox {
  readonly id = randomUUID();
  readonly environment: Readonly<Record<string, string>>;
  readonly preforks: boolean;
  readonly files = new MemoryFiles();
  readonly spec: SandboxSpec;
  readonly lost: Promise<SandboxLost>;
  readonly processes: MemoryProcess[] = [];
  measurement: Measurement = UNUSED;
  /** How often a period for the peaks began. */
  periods = 0;
  /** Runs begun that have meters of their own. */
  apart = 0;
  full = false;
  limits: SandboxLimits;
  closed = false;
  /** What `limitMemory` and `resize` answer. */
  obeys = true;
  /** Its programs outlive a kill; only the sandbox's end ends them. */
  stubborn = false;
  /** Thrown by every spawn. */
  refusal: Error | undefined;
  /** Awaited by every spawn and by the first close; a fault is one that rejects. */
  beforeSpawn: () => Promise<void> = async () => {};
  beforeClose: () => Promise<void> = async () => {};
  readonly #script: Script;
  readonly #lost = Promise.withResolvers<SandboxLost>();
  #gone: SandboxLost | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    spec: SandboxSpec,
    script: Script,
    { preforks = false, environment = {} }: Partial<Pick<Sandbox, 'preforks' | 'environment'>> = {},
  ) {
    this.spec = spec;
    this.limits = spec.limits;
    this.preforks = preforks;
    this.environment = environment;
    this.#script = script;
    this.lost = this.#lost.promise;
  }

  async spawn(spec: SpawnSpec): Promise<Process> {
    await this.beforeSpawn();
    if (this.refusal) throw this.refusal;
    if (this.#gone) throw this.#gone;
    const process = new MemoryProcess(spec, this, this.#script);
    this.processes.push(process);
    return process;
  }

  async bring(): Promise<void> {}

  async measure(): Promise<Measurement> {
    return this.measurement;
  }

  async usage(): Promise<SandboxUsage> {
    return { cpuMs: this.measurement.cpuMs, memoryBytes: 1024, fileBytes: 0 };
  }

  async begin(): Promise<Measurement> {
    this.periods++;
    return this.measurement;
  }

  beginApart(): void {
    this.apart++;
  }

  async limitMemory(memoryBytes: number): Promise<boolean> {
    if (this.obeys) this.limits = { ...this.limits, memoryBytes };
    return this.obeys;
  }

  async resize(limits: SandboxLimits): Promise<boolean> {
    if (this.obeys) this.limits = limits;
    return this.obeys;
  }

  diskFull(): boolean {
    return this.full;
  }

  /** What its processes use grows by so much. */
  use(more: Partial<Measurement>): void {
    const grown = Object.entries(more).map(([name, by]) => {
      const now = this.measurement[name as keyof Measurement];
      return [name, by === null ? null : (now ?? 0) + by];
    });
    this.measurement = { ...this.measurement, ...Object.fromEntries(grown) };
  }

  /** The sandbox goes away under its user. */
  lose(reason = new SandboxLost('it was killed from outside')): void {
    this.#end(reason);
    // Who waits for a program inside is told first.
    setImmediate(() => this.#lost.resolve(reason));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#end(new SandboxLost('the sandbox was closed'));
    await this.beforeClose();
    this.closed = true;
  }

  #end(reason: SandboxLost): void {
    if (this.#gone) return;
    this.#gone = reason;
    this.files.refusal = reason;
    for (const process of this.processes) process.fail(reason);
  }
}
