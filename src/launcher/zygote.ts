import type { Writable } from 'node:stream';
import type { GroupPlan } from '../cgroup/cgroup.ts';
import { FieldWriter } from '../wire/fields.ts';
import { decodeNumber, encodeFrame, type Frame, FrameDecoder } from '../wire/frames.ts';
import { LAUNCHER_UID } from './layout.ts';
import type { Started, StartRequest } from './start-request.ts';

/** Frames to the zygote and from it, a channel for each child; src/agent/zygote.h says what their payloads are. */
const ToZygote = { start: 1, template: 2, tell: 3, end: 4, resize: 5 } as const;
const End = { only: 0, remove: 1, reclaim: 2 } as const;
const FromZygote = { waiting: 64, started: 65, said: 66, ended: 67, resized: 68, removed: 69 } as const;

/** A sandbox's limits that it is made with; its control groups hold it to the others. */
export interface DiskLimits {
  readonly diskBytes: number;
  readonly inodes: number;
}

export interface TemplateRequest {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The files whose writers enter its own control groups. */
  readonly procs: readonly string[];
  readonly openFiles: number;
}

/** A child of the zygote's. */
interface Forked extends Started {
  /**
   * Ends it and takes its control group away; resolves when that is gone, or does not go. `reclaims`: the group first gives back what it
   * has in memory of files.
   */
  remove(reclaims: boolean): Promise<void>;
}

/** A child that makes the sandboxes of others. */
export interface Template extends Forked {
  /** Sends bytes to its control socket. */
  tell(bytes: Uint8Array): void;
}

export interface ZygoteSandbox extends Forked {
  /** Its agent's number on this machine. */
  readonly pid: Promise<number>;
  /** Resizes its disk; false where the kernel can't. */
  resize(bytes: number): Promise<boolean>;
}

interface Child {
  readonly ended: PromiseWithResolvers<string>;
  readonly started: PromiseWithResolvers<number>;
  isStarted: boolean;
  readonly removed: PromiseWithResolvers<void>;
  /** Answered in the order asked. */
  readonly resized: PromiseWithResolvers<boolean>[];
  readonly onSaid: (bytes: Uint8Array) => void;
}

/** The server's hold on its zygote (src/agent/zygote.c), to whose standard input it writes and whose output it is given. */
export class Zygote {
  readonly #input: Writable;
  readonly #decoder = new FrameDecoder();
  readonly #children = new Map<number, Child>();
  readonly #ready = Promise.withResolvers<void>();
  #channels = 0;
  #over = false;

  constructor(input: Writable) {
    this.#input = input;
    this.#ready.promise.catch(() => {});
  }

  get over(): boolean {
    return this.#over;
  }

  /** Rejects when it does not come up. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Takes what it says. @throws {Error} on what no zygote says */
  push(bytes: Uint8Array): void {
    this.#decoder.push(bytes, frame => this.#onFrame(frame));
  }

  /** It is no more, and neither are its children; their control groups are for whoever comes next. */
  end(): void {
    this.#over = true;
    this.#ready.reject(new Error('the zygote did not start'));
    for (const child of this.#children.values()) {
      settle(child, 'the zygote has ended');
      child.removed.resolve();
    }
    this.#children.clear();
  }

  /** `group`: the name of its control group, which is made with it as planned. */
  start(
    group: string,
    plan: GroupPlan,
    request: StartRequest,
    { diskBytes, inodes }: DiskLimits,
  ): ZygoteSandbox {
    const { uid, openFiles, home, procs, born, socket, greeting, network } = request;
    const fields = new FieldWriter(2048)
      .u8(uid === null ? 0 : 1)
      .u32(uid ?? LAUNCHER_UID)
      .u32(openFiles)
      .u8(home ? 1 : 0)
      .u64(diskBytes)
      .u32(inodes)
      .texts(procs)
      .text(born ?? '')
      .text(socket)
      .text(greeting)
      .texts(plan.directories)
      .texts(plan.settings.flat())
      .u8(network ? 1 : 0)
      .texts(network ?? []);
    const [channel, child] = this.#open(() => {});
    this.#send(ToZygote.start, channel, fields.bytes);
    return {
      ...this.#forked(channel, child, group),
      pid: child.started.promise,
      resize: bytes => this.#resize(channel, child, bytes),
    };
  }

  /** `onSaid` gets what it writes to its control socket. */
  template(
    group: string,
    plan: GroupPlan,
    { argv, env, procs, openFiles }: TemplateRequest,
    onSaid: Child['onSaid'],
  ): Template {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const fields = new FieldWriter()
      .u32(openFiles)
      .texts(procs)
      .texts(argv)
      .texts(variables)
      .texts(plan.directories)
      .texts(plan.settings.flat());
    const [channel, child] = this.#open(onSaid);
    this.#send(ToZygote.template, channel, fields.bytes);
    return {
      ...this.#forked(channel, child, group),
      tell: bytes => this.#send(ToZygote.tell, channel, bytes),
    };
  }

  #forked(channel: number, child: Child, group: string): Forked {
    const end = (how: number) => {
      const fields = new FieldWriter(64).text(group).u8(how);
      this.#send(ToZygote.end, channel, fields.bytes);
    };
    return {
      ended: child.ended.promise,
      kill: () => end(End.only),
      remove(reclaims) {
        end(reclaims ? End.reclaim : End.remove);
        return child.removed.promise;
      },
    };
  }

  #open(onSaid: Child['onSaid']): [number, Child] {
    if (this.#over) throw new Error('the zygote has ended');
    const channel = ++this.#channels;
    const child: Child = {
      ended: Promise.withResolvers(),
      started: Promise.withResolvers(),
      isStarted: false,
      removed: Promise.withResolvers(),
      resized: [],
      onSaid,
    };
    child.started.promise.catch(() => {});
    this.#children.set(channel, child);
    return [channel, child];
  }

  #resize(channel: number, child: Child, bytes: number): Promise<boolean> {
    const resized = Promise.withResolvers<boolean>();
    if (!this.#children.has(channel)) return Promise.resolve(false);
    child.resized.push(resized);
    this.#send(ToZygote.resize, channel, new FieldWriter(8).u64(bytes).bytes);
    return resized.promise;
  }

  #send(kind: number, channel: number, payload: Uint8Array): void {
    this.#input.write(encodeFrame(kind, channel, payload));
  }

  #onFrame({ kind, channel, payload }: Frame): void {
    if (kind === FromZygote.waiting) return this.#ready.resolve();
    const child = this.#children.get(channel);
    if (kind === FromZygote.started) onStarted(child, decodeNumber(payload));
    else if (kind === FromZygote.said) child?.onSaid(payload);
    else if (kind === FromZygote.resized) child?.resized.shift()?.resolve(decodeNumber(payload) === 1);
    else if (kind === FromZygote.ended) settle(child, Buffer.from(payload).toString('utf8').trim());
    else if (kind === FromZygote.removed) this.#onRemoved(channel, child, decodeNumber(payload) === 1);
    else throw new Error(`kind ${kind}`);
  }

  #onRemoved(channel: number, child: Child | undefined, gone: boolean): void {
    if (!gone) process.stderr.write('A control group does not become empty; the next start removes it.\n');
    this.#children.delete(channel);
    // What it was asked for since it ended is answered too late.
    settle(child, '');
    child?.removed.resolve();
  }
}

function onStarted(child: Child | undefined, pid: number): void {
  if (!child) return;
  child.isStarted = true;
  child.started.resolve(pid);
}

/** It has ended. */
function settle(child: Child | undefined, words: string): void {
  // An error's stack costs more than all the rest of an end.
  if (child && !child.isStarted) child.started.reject(new Error(words));
  for (const resized of child?.resized ?? []) resized.resolve(false);
  child?.ended.resolve(words);
}
