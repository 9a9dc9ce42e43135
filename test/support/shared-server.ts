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

export async function setup(project: TestProject): Promise<void> {
  running = await startServer();
  project.provide('server', { url: running.url, wsUrl: running.wsUrl, pid: running.pid });
}

export async function teardown(): Promise<void> {
  await running?.stop();
}
