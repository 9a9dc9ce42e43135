import type { Duplex } from 'node:stream';
import { type Process, SandboxLost, type SpawnSpec } from '../sandbox.ts';
import { decodeNumber, encodeFrame, encodeNumber, type Frame, FrameDecoder } from '../wire/frames.ts';
import { FromAgent, PROTOCOL_VERSION, ToAgent } from '../wire/messages.ts';
import { HostFiles } from './host-files.ts';
import { type Fork, HostProcess } from './host-process.ts';

const EMPTY = new Uint8Array(0);
/** How long an agent that owes an answer may say nothing, with next to nothing of the CPU. */
const PATIENCE_MS = 20_000;
/** Frames are gathered up to this size; copying more costs more than it saves. */
const JOINED_BYTES = 4096;

/** What listens on a channel. Throwing ends the sandbox. */
export interface Listener {
  onMessage(kind: number, payload: Uint8Array): void;
  lost(reason: SandboxLost): void;
}

/** The stream's sending side, as channels use it. */
export interface Link {
  open(listener: Listener): number;
  close(channel: number): void;
  send(kind: number, channel: number, payload?: Uint8Array): void;
  sendNumber(kind: number, channel: number, value: number): void;
  /** Resolves when the stream takes more. */
  drained(): Promise<void> | undefined;
  /** Waits for what the agent is to answer; one that says nothing at all meanwhile is given up. */
  expect<T>(answer: Promise<T>): Promise<T>;
}

/**
 * The service's end of the stream to an agent. This folder turns src/wire into the interfaces of src/sandbox.ts; it
 * knows nothing of how the stream came about. Imports: wire, sandbox.
 *
 * Everything that arrives is hostile input: a frame that does not fit the protocol destroys the stream, and with it
 * the sandbox.
 */
export class AgentClient implements Link {
  readonly files: HostFiles;
  /** As the agent told last: blocks or inodes of a disk that programs can write are used up. */
  diskFull = false;
  /** Resolves when the agent takes orders; rejects with SandboxLost. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when the stream has ended, also after `destroy`. */
  readonly lost: Promise<SandboxLost>;
  readonly #stream: Duplex;
  readonly #outOfMemory: () => boolean;
  /** The agent gave memory for the reason of its end. */
  #saidSo = false;
  readonly #listeners = new Map<number, Listener>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #lost = Promise.withResolvers<SandboxLost>();
  #channels = 0;
  /** Frames that have not been handed to the stream yet. */
  #turn: Uint8Array[] = [];
  #turnBytes = 0;
  #gone: SandboxLost | undefined;
  /** Answers that are due. */
  #expected = 0;
  #heardAt = 0;
  #watch: NodeJS.Timeout | undefined;
  #room: PromiseWithResolvers<void> | undefined;

  /** `outOfMemory` is asked when the stream has ended: whether memory was the reason. */
  constructor(stream: Duplex, outOfMemory: () => boolean = () => false) {
    this.#stream = stream;
    this.#outOfMemory = outOfMemory;
    this.ready = this.#ready.promise;
    this.ready.catch(() => {});
    this.lost = this.#lost.promise;
    this.files = new HostFiles(this);
    const decoder = new FrameDecoder();
    stream.on('data', (bytes: Uint8Array) => {
      this.#heardAt = performance.now();
      try {
        decoder.push(bytes, frame => this.#onFrame(frame));
      } catch (error) {
        this.#end(`the agent broke the protocol: ${error instanceof Error ? error.message : error}`);
      }
    });
    // Whoever made the stream may have paused it.
    stream.resume();
    stream.on('drain', () => this.#drained());
    for (const event of ['error', 'close', 'end'])
      stream.on(event, () => this.#end('the stream to the sandbox has ended'));
  }

  /** @throws {ProgramNotFound | FileRefused | SandboxLost} */
  async spawn(spec: SpawnSpec, fork?: Fork): Promise<Process> {
    const process = new HostProcess(this, spec, fork);
    await this.expect(process.started);
    return process;
  }

  /** A program can hold up its agent: one that is stopped between its fork and its own first step does. */
  async expect<T>(answer: Promise<T>): Promise<T> {
    if (this.#expected++ === 0) this.#heardAt = performance.now();
    this.#watch ??= setTimeout(() => this.#look(), PATIENCE_MS).unref();
    try {
      return await answer;
    } finally {
      this.#expected--;
    }
  }

  #look(): void {
    this.#watch = undefined;
    if (this.#expected === 0 || this.#gone) return;
    const left = this.#heardAt + PATIENCE_MS - performance.now();
    if (left <= 0) this.#end('the agent does not answer');
    else this.#watch = setTimeout(() => this.#look(), left).unref();
  }

  /** Tells an agent that waits for it that the service is still there. */
  stayAlive(): void {
    this.send(ToAgent.alive, 0);
  }

  /** Ends the stream because of what the kernel holds for the sandbox. */
  endForMemory(message: string): void {
    this.#saidSo = true;
    this.#end(message);
  }

  /** Ends the stream. The agent ends with it. */
  destroy(): void {
    this.#end('the sandbox was closed');
  }

  open(listener: Listener): number {
    if (this.#gone) throw this.#gone;
    const channel = ++this.#channels;
    this.#listeners.set(channel, listener);
    return channel;
  }

  close(channel: number): void {
    this.#listeners.delete(channel);
  }

  send(kind: number, channel: number, payload: Uint8Array = EMPTY): void {
    this.#write(encodeFrame(kind, channel, payload));
  }

  sendNumber(kind: number, channel: number, value: number): void {
    this.#write(encodeNumber(kind, channel, value));
  }

  /** Small frames of one turn leave together, in one system call. */
  #write(frame: Uint8Array): void {
    if (this.#gone) return;
    if (this.#turn.length === 0) process.nextTick(() => this.#flush());
    this.#turn.push(frame);
    this.#turnBytes += frame.byteLength;
    if (this.#turnBytes > JOINED_BYTES) this.#flush();
  }

  #flush(): void {
    const frames = this.#turn;
    if (frames.length === 0 || this.#gone) return;
    this.#turn = [];
    this.#turnBytes = 0;
    this.#stream.write(frames.length === 1 ? frames[0] : Buffer.concat(frames));
  }

  drained(): Promise<void> | undefined {
    if (this.#gone || !this.#stream.writableNeedDrain) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  #onFrame({ kind, channel, payload }: Frame): void {
    if (channel === 0) {
      if (kind === FromAgent.ready) {
        const version = decodeNumber(payload);
        if (version !== PROTOCOL_VERSION)
          throw new Error(`its agent speaks version ${version}, and the service ${PROTOCOL_VERSION}`);
        this.#ready.resolve();
      } else if (kind === FromAgent.disk) this.diskFull = decodeNumber(payload) === 1;
      else if (kind === FromAgent.outOfMemory) this.#saidSo = true;
      else throw new Error(`kind ${kind} on channel 0`);
    } else if (channel > this.#channels) throw new Error(`channel ${channel} was never opened`);
    else this.#listeners.get(channel)?.onMessage(kind, payload);
  }

  #drained(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #end(message: string): void {
    if (this.#gone) return;
    const reason = new SandboxLost(message, this.#saidSo || this.#outOfMemory());
    this.#gone = reason;
    clearTimeout(this.#watch);
    this.#stream.destroy();
    this.#drained();
    this.#ready.reject(reason);
    this.#lost.resolve(reason);
    const listeners = [...this.#listeners.values()];
    this.#listeners.clear();
    for (const listener of listeners) listener.lost(reason);
  }
}
