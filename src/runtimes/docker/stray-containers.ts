import { Type } from '@sinclair/typebox';
import { LABEL } from './container-plan.ts';
import { removeContainer } from './docker-sandbox.ts';
import type { Engine } from './engine.ts';

/** How often they are looked for while the engine answers, milliseconds. */
const SWEEP_MS = 60_000;
/** The same once one is known to be left, milliseconds: not at once, because an engine that is busy needs time more than requests. */
const SOON_MS = 10_000;

/** Answer to a list of containers. */
const Containers = Type.Array(
  Type.Object({
    Id: Type.String(),
    Labels: Type.Union([Type.Null(), Type.Record(Type.String(), Type.String())]),
  }),
);

/**
 * This instance's containers that belong to no sandbox: leftovers of an earlier server, of an engine's restart, or of a removal that
 * the engine did not answer.
 */
export class StrayContainers {
  readonly #engine: Engine;
  readonly #instance: string;
  readonly #isOpen: (session: string) => boolean;
  /** When the next sweep is due, by the clock of `performance`. */
  #dueAt = Number.NEGATIVE_INFINITY;

  /** `isOpen`: whether a sandbox of that label is made, used or being removed. */
  constructor(parts: { engine: Engine; instance: string; isOpen: (session: string) => boolean }) {
    this.#engine = parts.engine;
    this.#instance = parts.instance;
    this.#isOpen = parts.isOpen;
  }

  /** Removes all there are. @throws {EngineUnable} */
  async sweep(): Promise<void> {
    this.#dueAt = performance.now() + SWEEP_MS;
    const filters = { label: [`${LABEL.instance}=${this.#instance}`] };
    const found = await this.#engine.ask(Containers, docker => docker.listContainers({ all: true, filters }));
    const stray = found.filter(({ Labels }) => !this.#isOpen(Labels?.[LABEL.session] ?? ''));
    await Promise.all(stray.map(({ Id }) => removeContainer(this.#engine, Id)));
  }

  /** Brings the next sweep forward: a container could not be removed, or may be made after its sandbox was given up. */
  sweepSoon(): void {
    this.#dueAt = Math.min(this.#dueAt, performance.now() + SOON_MS);
  }

  /** The same, if it is due. Never rejects: whatever is left is swept next time. */
  async sweepSeldom(): Promise<void> {
    if (performance.now() < this.#dueAt) return;
    await this.sweep().catch(() => this.sweepSoon());
  }
}
