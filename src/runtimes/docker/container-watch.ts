import { finished, type Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { guarded } from '../../wire/guarded.ts';
import { LineReader } from '../../wire/line-reader.ts';
import { LABEL } from './container-plan.ts';
import { type Engine, EngineUnable } from './engine.ts';

const MAX_EVENT_BYTES = 1024 * 1024;
const Event = Type.Object({ Action: Type.String(), id: Type.String() });

/** State of one container, from the engine's events. */
export interface ContainerState {
  /** Number of processes killed for memory. */
  oomKills: number;
  /** Resolves when it has ended, or when events end. */
  readonly died: Promise<void>;
}

interface Watched extends ContainerState {
  die(): void;
}

/**
 * Watches the engine's events of one instance's containers: OOM kills and ends. The end of the event stream
 * shows at once that the engine has gone.
 */
export class ContainerWatch {
  readonly #containers = new Map<string, Watched>();
  readonly #stream: Readable;
  /** Resolves with the reason when the engine has gone or an event can't be read. */
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
    const onData = (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#onEvent(line);
    };
    stream.on(
      'data',
      guarded(onData, ({ message }) => {
        end(new EngineUnable(`the Docker engine's events can't be read: ${message}`));
        stream.destroy();
      }),
    );
    // Also called when the stream has ended already.
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
