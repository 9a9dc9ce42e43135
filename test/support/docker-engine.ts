import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';

const START_MS = 60_000;

/**
 * A Docker Engine of a test's own, beside the machine's: in a network namespace of its own, because two engines would
 * fight over the bridge, and with its files in a directory of its own. It can be killed, stopped and started again.
 */
export class TestEngine implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'engine-'));
  readonly socket = join(this.directory, 'docker.sock');
  readonly docker = new Docker({ socketPath: this.socket });
  #process: ChildProcess | undefined;

  /** `extra`: further arguments of dockerd. */
  async start(...extra: string[]): Promise<void> {
    const at = (name: string) => join(this.directory, name);
    // Where nobody reaps the containerd of an engine that was killed, the next one would wait for it for ever.
    rmSync(at('exec/containerd/containerd.pid'), { force: true });
    this.#process = spawn(
      'unshare',
      [
        ...['--net', 'dockerd'],
        ...['--host', `unix://${this.socket}`, '--data-root', at('data'), '--exec-root', at('exec')],
        ...['--pidfile', at('pid'), '--bridge', 'none', '--iptables=false', '--ip-masq=false', ...extra],
      ],
      { stdio: 'ignore' },
    );
    const until = Date.now() + START_MS;
    while (!(await this.docker.ping().then(Boolean, () => false))) {
      if (Date.now() > until || this.#process.exitCode !== null) throw new Error('dockerd did not start');
      await sleep(50);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** Ends it as a crash does; its containers' shims live on. */
  async kill9(): Promise<void> {
    if (this.#process?.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }

  /** An image with nothing in it, under the name of one of the service's own. */
  async importEmptyImage(name: string): Promise<void> {
    const answer = await this.docker.importImage(Buffer.alloc(1024) as never, { repo: name, tag: 'latest' });
    answer.resume();
    await once(answer, 'end');
  }

  /**
   * Without those that hold a server's packages, which stay as long as it does. An engine that was killed while it removed a container may list that
   * one for ever (Docker 20.10), and says for all else that there is none: only what it can show is there.
   */
  async containers(): Promise<string[]> {
    const all = await this.docker.listContainers({ all: true });
    const ours = all.filter(({ Command }) => !Command.includes('never started')).map(({ Id }) => Id);
    const shown = await Promise.all(ours.map(id => unlessGone(this.docker.getContainer(id).inspect())));
    return ours.filter((_, i) => shown[i] !== null);
  }

  /** Takes away all containers, whoever made them. */
  async removeContainers(): Promise<void> {
    for (const { Id } of await this.docker.listContainers({ all: true }))
      await unlessGone(this.docker.getContainer(Id).remove({ force: true }));
  }

  /** What containers have of their own, beside the volumes that stay. */
  async volumes(): Promise<string[]> {
    const { Volumes } = await this.docker.listVolumes();
    return (Volumes ?? [])
      .map(({ Name }) => Name)
      .filter(name => !/^codebeaker-(?:library|packages)-/.test(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    if (this.#process?.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, 'exit');
    // What a killed engine left behind: its containerd and the shims of its containers.
    try {
      execFileSync('pkill', ['-9', '-f', this.directory]);
    } catch {
      // Nothing was left.
    }
    for (const line of execFileSync('cat', ['/proc/self/mounts'], { encoding: 'utf8' })
      .split('\n')
      .reverse()) {
      const point = line.split(' ')[1];
      if (point?.startsWith(this.directory)) execFileSync('umount', ['-l', point]);
    }
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Null for what the engine does not have. */
async function unlessGone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return null;
    throw error;
  }
}
