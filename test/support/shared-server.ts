import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type RunningServer, startServer } from './start-server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The server that most tests share, because starting one takes a second. */
    server: SharedServer;
  }
}

export interface SharedServer {
  readonly url: string;
  readonly wsUrl: string;
  readonly pid: number;
}

let running: RunningServer | undefined;
let directory: string | undefined;

export async function setup(project: TestProject): Promise<void> {
  // Whatever tests put into the directory for temporary files goes with them, also when they fail.
  directory = await mkdtemp(join(tmpdir(), 'codebeaker-tests-'));
  process.env.TMPDIR = directory;
  running = await startServer();
  project.provide('server', { url: running.url, wsUrl: running.wsUrl, pid: running.pid });
}

export async function teardown(): Promise<void> {
  await running?.stop();
  if (directory) await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}
