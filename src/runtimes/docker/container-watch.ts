import type { Readable } from 'node:stream';
import { LineReader } from '../../wire/line-reader.ts';
import { LABEL } from './container-plan.ts';
import type { Engine } from './engine.ts';

const MAX_EVENT_BYTES = 1024 * 1024;

/** What the engine tells of one container. */
export interface Fate {
  /** Processes that were killed for memory so far. */
  oomKills: number;
  /** Resolves when it has ended, or when nobody can tell any more. */
  readonly died: Promise<void>;
}

interface Watched extends Fate {
  die(): void;
}

/**
 * The engine's events about one instance's containers: what was killed for memory, and what has ended. The stream's
 * own end is how the end of an engine is noticed at once.
 */
export class ContainerWatch {
  readonly #containers = new Map<string, Watched>();
  readonly #stream: Readable;
  /** Resolves when the engine has gone. */
  readonly ended: Promise<void>;

  private constructor(stream: Readable) {
    this.#stream = stream;
    const ended = Promise.withResolvers<void>();
    this.ended = ended.promise;
    const lines = new LineReader(MAX_EVENT_BYTES);
    stream.on('data', (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#heard(line);
    });
    for (const event of ['end', 'close', 'error']) {
      stream.on(event, () => {
        for (const watched of this.#containers.values()) watched.die();
        ended.resolve();
      });
    }
  }

  /** @throws {EngineUnable} */
  static async start(engine: Engine, instance: string): Promise<ContainerWatch> {
    const filters = {
      type: ['container' as const],
      event: ['oom', 'die'],
      label: [`${LABEL.instance}=${instance}`],
    };
    return new ContainerWatch((await engine.call(docker => docker.getEvents({ filters }))) as Readable);
  }

  watch(containerId: string): Fate {
    const died = Promise.withResolvers<void>();
    const watched: Watched = {
      oomKills: 0,
      died: died.promise,
      die: () => {
        this.#containers.delete(containerId);
        died.resolve();
      },
    };
    if (this.#stream.destroyed) watched.die();
    else this.#containers.set(containerId, watched);
    return watched;
  }

  forget(containerId: string): void {
    this.#containers.get(containerId)?.die();
  }

  close(): void {
    this.#stream.destroy();
  }

  #heard(line: string): void {
    const { Action, id } = JSON.parse(line) as { Action: string; id: string };
    const watched = this.#containers.get(id);
    if (Action === 'oom' && watched) watched.oomKills++;
    if (Action === 'die') watched?.die();
  }
}
