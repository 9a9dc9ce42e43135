import { finished, type Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { LineReader } from '../../wire/line-reader.ts';
import { LABEL } from './container-plan.ts';
import { type Engine, EngineUnable } from './engine.ts';

const MAX_EVENT_BYTES = 1024 * 1024;
const Event = Type.Object({ Action: Type.String(), id: Type.String() });

/** What the engine tells of one container. */
export interface ContainerState {
  /** Processes that were killed for memory so far. */
  oomKills: number;
  /** Resolves when it has ended, or when nobody can tell any more. */
  readonly died: Promise<void>;
}

interface Watched extends ContainerState {
  die(): void;
}

/**
 * The engine's events about one instance's containers: what was killed for memory, and what has ended. The stream's
 * own end is how the end of an engine is noticed at once.
 */
export class ContainerWatch {
  readonly #containers = new Map<string, Watched>();
  readonly #stream: Readable;
  /** Resolves with the reason when the engine has gone, or tells what can't be read. */
  readonly ended: Promise<EngineUnable>;

  private constructor(stream: Readable) {
    this.#stream = stream;
    const ended = Promise.withResolvers<EngineUnable>();
    this.ended = ended.promise;
    const end = (reason: EngineUnable) => {
      for (const watched of this.#containers.values()) watched.die();
      ended.resolve(reason);
    };
    const lines = new LineReader(MAX_EVENT_BYTES);
    stream.on('data', (chunk: Buffer) => {
      try {
        for (const line of lines.push(chunk)) this.#onEvent(line);
      } catch (error) {
        end(new EngineUnable(`the Docker engine's events can't be read: ${(error as Error).message}`));
        stream.destroy();
      }
    });
    // Also when it has ended before anybody listened.
    finished(stream, { writable: false }, () => end(new EngineUnable('the Docker engine has gone')));
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

  watch(containerId: string): ContainerState {
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

  #onEvent(line: string): void {
    const event: unknown = JSON.parse(line);
    if (!Value.Check(Event, event)) throw new Error('an event of no container');
    const { Action, id } = event;
    const watched = this.#containers.get(id);
    if (Action === 'oom' && watched) watched.oomKills++;
    if (Action === 'die') watched?.die();
  }
}
