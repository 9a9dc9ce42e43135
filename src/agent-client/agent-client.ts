import type { Duplex } from 'node:stream';
import { SandboxLost, type SpawnSpec } from '../sandbox.ts';
import { decodeNumber, encodeFrame, encodeNumber, type Frame, FrameDecoder } from '../wire/frames.ts';
import { guarded } from '../wire/guarded.ts';
import {
  encodeShownLimits,
  FromAgent,
  PROTOCOL_VERSION,
  type ShownLimits,
  ToAgent,
} from '../wire/messages.ts';
import { release } from '../wire/release.ts';
import { LARGE_BYTES, turn } from '../wire/turns.ts';
import { writeFrame } from '../wire/write-frame.ts';
import { HostFiles } from './host-files.ts';
import { HostProcess, type StartHooks } from './host-process.ts';
import type { ChannelListener, Link } from './link.ts';

const CLOSED = 'the sandbox was closed';
/** Of one that nobody uses: an error of its own would cost more than all the rest of its end. */
const CLOSED_UNUSED = new SandboxLost(CLOSED);
const EMPTY = new Uint8Array(0);
/** Time that an agent which owes an answer may be silent, milliseconds; it may have a tiny share of the CPU. */
const PATIENCE_MS = 20_000;
/** Of what there may be much nothing waits until a frame is whole. */
const LEAST_PIECES = new Map<number, number>([
  [FromAgent.fileData, 1],
  [FromAgent.streamData, 1],
  [FromAgent.control, 4096],
]);
/** Frames are joined up to this many bytes: a hundred small requests are one. Copying more costs more than it saves. */
const JOINED_BYTES = 16 * 1024;

/**
 * The service's end of the stream to an agent. This folder implements src/sandbox.ts over src/wire; it does
 * not know how the stream was made. Imports: wire, sandbox. Everything received is untrusted: a frame that
 * breaks the protocol destroys the stream, and with it the sandbox.
 */
export class AgentClient implements Link {
  readonly files: HostFiles;
  /** The agent's last report: blocks or inodes of a writable disk are used up. */
  diskFull = false;
  /** Resolves when the agent takes requests; rejects with SandboxLost. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when the stream has ended, also after `destroy`. */
  readonly lost: Promise<SandboxLost>;
  readonly #stream: Duplex;
  readonly #outOfMemory: () => boolean;
  /** The agent reported that memory ran out. */
  #reportedOutOfMemory = false;
  readonly #listeners = new Map<number, ChannelListener>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #lost = Promise.withResolvers<SandboxLost>();
  #channels = 0;
  /** Frames not written to the stream yet. */
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #gone: SandboxLost | undefined;
  /** Number of answers that are due. */
  #expected = 0;
  #lastFrameAt = 0;
  #watch: NodeJS.Timeout | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  #isReady = false;

  /** `outOfMemory` is called when the stream has ended: whether memory was the reason. */
  constructor(stream: Duplex, outOfMemory: () => boolean = () => false) {
    this.#stream = stream;
    this.#outOfMemory = outOfMemory;
    this.ready = this.#ready.promise;
    this.ready.catch(() => {});
    this.lost = this.#lost.promise;
    this.files = new HostFiles(this);
    const decoder = new FrameDecoder(kind => LEAST_PIECES.get(kind) ?? 0);
    const onData = (bytes: Uint8Array) => {
      this.#lastFrameAt = performance.now();
      decoder.push(bytes, frame => this.#onFrame(frame));
      if (bytes.byteLength > LARGE_BYTES) this.#giveWay();
      release(bytes);
    };
    const broken = ({ message }: Error) => this.#end(`the agent broke the protocol: ${message}`);
    stream.on('data', guarded(onData, broken));
    // Whoever made the stream may have paused it.
    stream.resume();
    stream.on('drain', () => this.#drained());
    const ended = () => this.#end('the stream to the sandbox has ended');
    for (const event of ['error', 'close', 'end']) stream.on(event, guarded(ended, ended));
  }

  /** @throws {ProgramNotFound | FileRefused | SandboxLost} */
  async spawn(spec: SpawnSpec, hooks: StartHooks = {}): Promise<HostProcess> {
    const process = new HostProcess(this, spec, hooks);
    await this.expect(process.started);
    return process;
  }

  /**
   * Bounded in time, because a program can block its agent: one that is stopped between its fork and its exec
   * does.
   */
  async expect<T>(answer: Promise<T>): Promise<T> {
    if (this.#expected++ === 0) this.#lastFrameAt = performance.now();
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
    const left = this.#lastFrameAt + PATIENCE_MS - performance.now();
    if (left <= 0) this.#end('the agent does not answer');
    else this.#watch = setTimeout(() => this.#look(), left).unref();
  }

  /** Sends a sign of life, which the agent in a container waits for. */
  stayAlive(): void {
    this.send(ToAgent.alive, 0);
  }

  /** Shows programs, those that run as well, what they may have of the machine. */
  showLimits(limits: ShownLimits): void {
    this.send(ToAgent.showLimits, 0, encodeShownLimits(limits));
  }

  /** Ends the stream for kernel memory that the sandbox holds. */
  endForMemory(message: string): void {
    this.#reportedOutOfMemory = true;
    this.#end(message);
  }

  /** Somebody waits for it, or for something in it. */
  get inUse(): boolean {
    return !this.#isReady || this.#listeners.size > 0;
  }

  /** Ends the stream. The agent ends with it. */
  destroy(): void {
    if (this.inUse || this.#reportedOutOfMemory) this.#end(CLOSED);
    else this.#endFor(CLOSED_UNUSED);
  }

  open(listener: ChannelListener): number {
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

  sendAsIs(kind: number, channel: number, payload: Uint8Array): Promise<void> {
    if (this.#gone) return Promise.resolve();
    this.#flush();
    return new Promise(resolve => writeFrame(this.#stream, [kind, channel], payload, () => resolve()));
  }

  /** Small frames of one turn of the event loop leave together, in one system call. */
  #write(frame: Uint8Array): void {
    if (this.#gone) return;
    if (this.#batch.length === 0) process.nextTick(() => this.#flush());
    this.#batch.push(frame);
    this.#batchBytes += frame.byteLength;
    if (this.#batchBytes > JOINED_BYTES) this.#flush();
  }

  /** Reads on when it has its turn. */
  #giveWay(): void {
    const wait = turn();
    if (!wait) return;
    this.#stream.pause();
    void wait.then(() => this.#stream.resume());
  }

  #flush(): void {
    const frames = this.#batch;
    if (frames.length === 0 || this.#gone) return;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#stream.write(frames.length === 1 ? frames[0] : Buffer.concat(frames));
  }

  drained(): Promise<void> | undefined {
    if (this.#gone || !this.#stream.writableNeedDrain) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  #onFrame({ kind, channel, payload, rest }: Frame): void {
    if (channel === 0) {
      if (kind === FromAgent.ready) {
        const version = decodeNumber(payload);
        if (version !== PROTOCOL_VERSION)
          throw new Error(`its agent speaks version ${version}, and the service ${PROTOCOL_VERSION}`);
        this.#isReady = true;
        this.#ready.resolve();
      } else if (kind === FromAgent.disk) this.diskFull = decodeNumber(payload) === 1;
      else if (kind === FromAgent.outOfMemory) this.#reportedOutOfMemory = true;
      else throw new Error(`kind ${kind} on channel 0`);
    } else if (channel > this.#channels) throw new Error(`channel ${channel} was never opened`);
    else this.#listeners.get(channel)?.onMessage(kind, payload, rest);
  }

  /** Its control group may be gone already. */
  #ranOutOfMemory(): boolean {
    try {
      return this.#outOfMemory();
    } catch {
      return false;
    }
  }

  #drained(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #end(message: string): void {
    if (this.#gone) return;
    this.#endFor(new SandboxLost(message, this.#reportedOutOfMemory || this.#ranOutOfMemory()));
  }

  #endFor(reason: SandboxLost): void {
    if (this.#gone) return;
    this.#gone = reason;
    clearTimeout(this.#watch);
    this.#stream.destroy();
    this.#drained();
    if (!this.#isReady) this.#ready.reject(reason);
    this.#lost.resolve(reason);
    const listeners = [...this.#listeners.values()];
    this.#listeners.clear();
    for (const listener of listeners) listener.onLost(reason);
  }
}
