import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { RecordReader, type WatchRecord } from '../../src/service/watches/records.ts';
import { until } from './agent-process.ts';
import { agentFile, SANITIZER_ENV } from './builds.ts';

const inWords = ({ type, path, newPath }: WatchRecord) =>
  [type, path, ...(newPath === undefined ? [] : [newPath])].join(' ').trim();

/** The agent's `watch` as an ordinary program, and what it has told. It can be held, so that what happens meanwhile is one moment. */
export class Watcher implements Disposable {
  told: string[] = [];
  words = '';
  readonly exited: Promise<[number | null]>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.exited = once(child, 'close') as Promise<[number | null]>;
    const reader = new RecordReader();
    child.stdout!.on('data', data => this.told.push(...reader.push(data).map(inWords)));
    child.stderr!.on('data', data => {
      this.words += data;
    });
  }

  static async open(
    root: string,
    { path = root, recursive = true, most = 20_000, build = 'sanitized' as 'sanitized' | 'shipped' } = {},
  ): Promise<Watcher> {
    const words = ['watch', root, path, recursive ? '1' : '0', String(most)];
    const watcher = new Watcher(
      spawn(agentFile(build), words, { env: { ...process.env, ...SANITIZER_ENV } }),
    );
    await Promise.race([watcher.exited, until('it watches', () => watcher.told.includes('ready'))]);
    watcher.told = [];
    return watcher;
  }

  get residentBytes(): number {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))![1]) * 1024;
  }

  hold(): void {
    this.#child.kill('SIGSTOP');
  }

  /** What it tells of all that happened while it was held; `last` is the last of it, and left out. */
  async letGo(last: string): Promise<string[]> {
    this.#child.kill('SIGCONT');
    await until(`it tells ${last}`, () => this.told.includes(last));
    const told = this.told.slice(0, this.told.indexOf(last));
    this.told = this.told.slice(told.length + 1);
    return told;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}
