import { zygoteArguments } from '../agent/artifact.ts';
import type { GroupPlan } from '../cgroup/cgroup.ts';
import { FieldWriter } from '../wire/fields.ts';
import { decodeNumber, encodeFrame, type Frame, FrameDecoder } from '../wire/frames.ts';
import { BASE, LAUNCHER_UID } from './layout.ts';
import type { Started, StartRequest } from './start-request.ts';

/** Frames to the zygote and from it, a channel for each child; src/agent/zygote.h says what their payloads are. */
const ToZygote = { start: 1, template: 2, tell: 3, end: 4, resize: 5 } as const;
const FromZygote = { waiting: 64, started: 65, said: 66, ended: 67, resized: 68 } as const;

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

/** A child that makes the sandboxes of others. */
export interface Template extends Started {
  /** Sends bytes to its control socket. */
  tell(bytes: Uint8Array): void;
}

export interface ZygoteSandbox extends Started {
  /** Its agent's number on this machine. */
  readonly pid: Promise<number>;
  /** Resizes its disk; false where the kernel can't. */
  resize(bytes: number): Promise<boolean>;
}

interface Child {
  readonly ended: PromiseWithResolvers<string>;
  readonly started: PromiseWithResolvers<number>;
  /** Answered in the order asked. */
  readonly resized: PromiseWithResolvers<boolean>[];
  readonly onSaid: (bytes: Uint8Array) => void;
}

/** The launcher's hold on its zygote (src/agent/zygote.c). */
export class Zygote {
  readonly #process: Bun.Subprocess<'pipe', 'pipe', 'inherit'>;
  readonly #children = new Map<number, Child>();
  readonly #ready = Promise.withResolvers<void>();
  #channels = 0;

  constructor() {
    const files = { sandbox: BASE.sandboxPlan, template: BASE.templatePlan, filter: BASE.filter };
    this.#process = Bun.spawn({
      cmd: [BASE.agent, ...zygoteArguments(files)],
      // Templates are looked up by this.
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      cwd: '/',
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    });
    void this.#listen();
  }

  /** Rejects when it does not come up. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Resolves when it has ended, and all sandboxes with it. */
  get exited(): Promise<unknown> {
    return this.#process.exited;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** `groups`: its control groups, which are made with it. */
  start(request: StartRequest, { diskBytes, inodes }: DiskLimits, groups: GroupPlan): ZygoteSandbox {
    const { uid, openFiles, home, procs, group, socket, greeting, network } = request;
    const fields = new FieldWriter()
      .u8(uid === null ? 0 : 1)
      .u32(uid ?? LAUNCHER_UID)
      .u32(openFiles)
      .u8(home ? 1 : 0)
      .u64(diskBytes)
      .u32(inodes)
      .texts(procs)
      .text(group ?? '')
      .text(socket)
      .text(greeting)
      .texts(groups.directories)
      .texts(groups.settings.flat())
      .u8(network ? 1 : 0)
      .texts(network ?? []);
    const [channel, child] = this.#open(() => {});
    this.#send(ToZygote.start, channel, fields.bytes);
    return {
      ended: child.ended.promise,
      pid: child.started.promise,
      kill: () => this.#send(ToZygote.end, channel),
      resize: bytes => this.#resize(channel, child, bytes),
    };
  }

  /** `onSaid` gets what it writes to its control socket. */
  template({ argv, env, procs, openFiles }: TemplateRequest, onSaid: Child['onSaid']): Template {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const fields = new FieldWriter().u32(openFiles).texts(procs).texts(argv).texts(variables);
    const [channel, child] = this.#open(onSaid);
    this.#send(ToZygote.template, channel, fields.bytes);
    return {
      ended: child.ended.promise,
      kill: () => this.#send(ToZygote.end, channel),
      tell: bytes => this.#send(ToZygote.tell, channel, bytes),
    };
  }

  #open(onSaid: Child['onSaid']): [number, Child] {
    const channel = ++this.#channels;
    const child: Child = {
      ended: Promise.withResolvers(),
      started: Promise.withResolvers(),
      resized: [],
      onSaid,
    };
    child.started.promise.catch(() => {});
    this.#children.set(channel, child);
    return [channel, child];
  }

  #resize(channel: number, child: Child, bytes: number): Promise<boolean> {
    const resized = Promise.withResolvers<boolean>();
    child.resized.push(resized);
    this.#send(ToZygote.resize, channel, new FieldWriter().u64(bytes).bytes);
    return resized.promise;
  }

  #send(kind: number, channel: number, payload: Uint8Array = new Uint8Array(0)): void {
    this.#process.stdin.write(encodeFrame(kind, channel, payload));
    this.#process.stdin.flush();
  }

  async #listen(): Promise<void> {
    try {
      const decoder = new FrameDecoder();
      for await (const chunk of this.#process.stdout) decoder.push(chunk, frame => this.#onFrame(frame));
    } catch (error) {
      process.stderr.write(
        `the zygote broke its protocol: ${error instanceof Error ? error.message : error}\n`,
      );
      this.kill();
    }
    await this.#process.exited;
    this.#ready.reject(new Error('the zygote did not start'));
    for (const channel of [...this.#children.keys()]) this.#onEnded(channel, 'the zygote has ended');
  }

  #onFrame({ kind, channel, payload }: Frame): void {
    if (kind === FromZygote.waiting) return this.#ready.resolve();
    const child = this.#children.get(channel);
    if (kind === FromZygote.started) child?.started.resolve(decodeNumber(payload));
    else if (kind === FromZygote.said) child?.onSaid(payload);
    else if (kind === FromZygote.resized) child?.resized.shift()?.resolve(decodeNumber(payload) === 1);
    else if (kind === FromZygote.ended) this.#onEnded(channel, Buffer.from(payload).toString('utf8').trim());
    else throw new Error(`kind ${kind}`);
  }

  #onEnded(channel: number, words: string): void {
    const child = this.#children.get(channel);
    this.#children.delete(channel);
    child?.started.reject(new Error(words));
    for (const resized of child?.resized ?? []) resized.resolve(false);
    child?.ended.resolve(words);
  }
}
