import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { agentFile, SANITIZER_ENV } from '../agent/builds.ts';

/** `agent relay`, sanitized and outside of any sandbox, with what it says on descriptor 3. */
export class RelayProcess implements AsyncDisposable {
  readonly port: number;
  readonly child: ChildProcess;
  readonly ended: Promise<[number | null]>;
  stderr = '';

  private constructor(port: number) {
    this.port = port;
    this.child = spawn(agentFile('sanitized'), ['relay', String(port)], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: SANITIZER_ENV,
    });
    this.ended = once(this.child, 'exit') as Promise<[number | null]>;
    this.child.stderr!.on('data', text => {
      this.stderr += text;
    });
    // It is killed with what it has not read.
    this.control.on('error', () => {});
  }

  static async start(port?: number): Promise<RelayProcess> {
    const relay = new RelayProcess(port ?? (await freePort()));
    await once(relay.child.stdout!, 'data');
    return relay;
  }

  get control(): Duplex {
    return this.child.stdio[3] as Duplex;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
