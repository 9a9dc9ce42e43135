import { basename } from 'node:path';
import type { Cgroups } from '../cgroup/cgroup.ts';
import type { ForkReply, ForkRequest } from '../kernels/protocol.ts';
import { guarded } from '../wire/guarded.ts';
import { LineReader } from '../wire/line-reader.ts';
import type { PreforkRequest } from './protocol.ts';
import { seenByTemplate } from './steps.ts';
import type { Template, Zygote } from './zygote.ts';

const MB = 1024 * 1024;
/** With what its children need on their way into theirs, and the kernel goes on charging here: page tables, mostly. */
const TEMPLATE_LIMITS = { memoryBytes: 1024 * MB, cpus: 1, processes: 512 };
/** Kinds of them; what else is asked for is started in its sandbox. */
const MOST = 8;
/** After this long one that did not come up is tried again, milliseconds. */
const RETRY_MS = 30_000;
const OPEN_FILES = 1024;
/** One that has not answered an order after this long hangs, milliseconds: a child that does costs it twice ten seconds. */
const ANSWER_MS = 25_000;
const MAX_LINE_BYTES = 64 * 1024;

/** A sandbox that a template is to fork itself into. */
export interface Destination {
  readonly id: string;
  readonly procs: readonly string[];
  /** The file that lists its agent. */
  readonly members: string;
  readonly uid: number | null;
  /** Its agent's number on this machine. */
  readonly agent: number;
}

/** Interpreters that wait outside of sandboxes to be forked into them: one for each command and environment. */
export class Templates {
  readonly #zygote: Zygote;
  readonly #cgroups: Cgroups;
  readonly #waiting = new Map<string, WaitingTemplate | 'starting' | 'failed'>();
  /** Why some failed, which is told once. */
  readonly #said = new Set<string>();

  constructor(zygote: Zygote, cgroups: Cgroups) {
    this.#zygote = zygote;
    this.#cgroups = cgroups;
  }

  /** Forks an interpreter into a sandbox. Resolves to its pid there, or null when none waits yet. */
  async fork({ argv, env, cwd, ends }: PreforkRequest, destination: Destination): Promise<number | null> {
    const key = JSON.stringify([argv, env]);
    const template = this.#waiting.get(key);
    if (template instanceof WaitingTemplate) return template.fork(destination, cwd, ends);
    if (template === undefined && this.#waiting.size < MOST) void this.#start(key, argv, env);
    return null;
  }

  async #start(key: string, argv: PreforkRequest['argv'], env: PreforkRequest['env']): Promise<void> {
    const id = `template-${crypto.randomUUID()}`;
    this.#waiting.set(key, 'starting');
    try {
      const { procs } = this.#cgroups.directories(id);
      const plan = this.#cgroups.plan(id, TEMPLATE_LIMITS);
      const template = new WaitingTemplate(onSaid =>
        this.#zygote.template(id, plan, { argv, env, procs, openFiles: OPEN_FILES }, onSaid),
      );
      if (await template.ready) this.#waiting.set(key, template);
      this.#tell(argv, await template.failure);
      await template.removed;
    } catch {
      // What it is for is started in its sandbox.
    }
    this.#waiting.set(key, 'failed');
    setTimeout(() => this.#waiting.delete(key), RETRY_MS).unref();
  }

  #tell([program]: PreforkRequest['argv'], reason: string): void {
    if (reason === '' || this.#zygote.over || this.#said.has(reason)) return;
    this.#said.add(reason);
    process.stderr.write(
      `${basename(program!)} is started in each sandbox: none can be forked (${reason}).\n`,
    );
  }
}

/** A template's process. It runs only our own code and is trusted. */
class WaitingTemplate {
  readonly #template: Template;
  readonly #lines = new LineReader(MAX_LINE_BYTES);
  readonly #ready = Promise.withResolvers<boolean>();
  #ended = false;
  /** It has a child. */
  #forks = false;
  /** By sandbox. */
  readonly #forking = new Map<string, PromiseWithResolvers<number | null>>();

  constructor(start: (onSaid: (bytes: Uint8Array) => void) => Template) {
    this.#template = start(
      guarded(
        bytes => {
          for (const line of this.#lines.push(bytes)) this.#onLine(JSON.parse(line));
        },
        () => this.#template.kill(),
      ),
    );
    void this.#template.ended.then(() => {
      this.#ended = true;
      this.#ready.resolve(false);
      for (const { resolve } of this.#forking.values()) resolve(null);
    });
  }

  /** Resolves to true when it waits, to false when it fails. */
  get ready(): Promise<boolean> {
    return this.#ready.promise;
  }

  /** Why none could be forked from it, in its own words: as a line; empty where some were, or it said nothing. Resolves when it has ended. */
  get failure(): Promise<string> {
    return this.#template.ended.then(words => (this.#forks ? '' : words.split('\n').at(-1)!));
  }

  /** Resolves when it has ended and nothing of it is left. */
  get removed(): Promise<void> {
    return this.#template.ended.then(() => this.#template.remove(false));
  }

  /** Resolves to null once it has ended. */
  async fork(
    { id, procs, members, uid, agent }: Destination,
    cwd: string,
    ends: PreforkRequest['ends'],
  ): Promise<number | null> {
    if (this.#ended) return null;
    const { stdin, stdout, stderr, control, file, users } = ends;
    const fork: ForkRequest['fork'] = {
      sandbox: id,
      procs: procs.map(seenByTemplate),
      members: seenByTemplate(members),
      agent,
      ends: [stdin, stdout, stderr, control, file],
      users,
      uid,
      cwd,
    };
    const forked = Promise.withResolvers<number | null>();
    this.#forking.set(id, forked);
    this.#template.tell(Buffer.from(`${JSON.stringify({ fork })}\n`));
    const hung = setTimeout(() => this.#template.kill(), ANSWER_MS).unref();
    return forked.promise.finally(() => clearTimeout(hung));
  }

  #onLine({ ready, forked, pid = null }: { ready?: boolean } & Partial<ForkReply>): void {
    if (ready) this.#ready.resolve(true);
    if (forked === undefined) return;
    this.#forks ||= pid !== null;
    this.#forking.get(forked)?.resolve(pid);
    this.#forking.delete(forked);
  }
}
