import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import { TestEngine } from '../support/docker-engine.ts';
import { needs } from '../support/needs.ts';
import { http, runOnce } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** An engine that is stopped, hangs, is killed or comes back, under a real server. */
const test = needs('dockerd', 'root');
const IMAGE = 'codebeaker-nothing';

describe('an engine of its own', () => {
  let engine: TestEngine;
  let server: RunningServer;
  beforeAll(async () => {
    engine = new TestEngine();
    await engine.start();
    await engine.importEmptyImage(IMAGE);
    server = await startServer({
      env: { DOCKER_HOST: `unix://${engine.socket}`, CODEBEAKER_RUNTIMES: 'Docker,Python' },
    });
  });
  afterAll(async () => {
    await server?.stop();
    await engine?.[Symbol.asyncDispose]();
  });

  /** Why containers of the service's own images can't be had: the images are missing, or the engine is. */
  const reason = async () => (await http(`${server.url}/health`)).body.runtimes.Docker.reason;
  const isUp = async () => expect(await reason()).toMatch(/^the image \S+ is not on the engine$/);
  const isDown = async () => expect(await reason()).toMatch(/the Docker engine (has|is)/);
  const open = async (client: RpcClient) =>
    client.call('session.create', { language: 'python', dockerImage: IMAGE });
  const write = (client: RpcClient, { sessionId }: { sessionId: string }) =>
    client.call('fs.writeFile', { sessionId, path: 'a.txt', content: 'hi' });
  const works = async () => {
    const client = await RpcClient.connect(server.wsUrl);
    try {
      const session = await open(client);
      await write(client, session);
      await client.call('session.close', { sessionId: session.sessionId });
    } finally {
      await client.close();
    }
  };

  test('runs an image without even a C library, and leaves nothing of it', async () => {
    await isUp();
    await works();
    expect(await engine.containers()).toEqual([]);
    expect(await engine.volumes()).toEqual([]);
  });

  test('that is killed in mid-run costs its sessions only, and returns by itself', async () => {
    const client = await RpcClient.connect(server.wsUrl);
    const session = await open(client);
    await engine.kill9();
    await vi.waitFor(isDown, 60_000);
    // It may be closing yet.
    const isGone = () =>
      expect(write(client, session)).rejects.toMatchObject({ data: { code: 'SESSION_NOT_FOUND' } });
    await vi.waitFor(isGone, 60_000);
    await expect(open(client)).rejects.toThrow(/Docker/);
    const other = await runOnce(server.url, { language: 'python', code: 'print(1)' });
    expect(other).toMatchObject({ outcome: 'ok', runtimeType: 'Python' });
    await engine.start();
    await vi.waitFor(works, { timeout: 60_000, interval: 500 });
    await vi.waitFor(async () => expect(await engine.containers()).toEqual([]), 60_000);
    await vi.waitFor(async () => expect(await engine.volumes()).toEqual([]), 60_000);
    await client.close();
  });

  test('that hangs is told within its deadline, and goes on when it does', async () => {
    engine.signal('SIGSTOP');
    const client = await RpcClient.connect(server.wsUrl);
    try {
      await expect(open(client)).rejects.toThrow(/Docker/);
      await vi.waitFor(isDown, 60_000);
      expect((await runOnce(server.url, { language: 'python', code: 'print(1)' })).outcome).toBe('ok');
    } finally {
      engine.signal('SIGCONT');
      await client.close();
    }
    await vi.waitFor(works, { timeout: 60_000, interval: 500 });
    await vi.waitFor(async () => expect(await engine.containers()).toEqual([]), 60_000);
  });

  test('is given its library again when somebody has taken it away', async () => {
    await works();
    await engine.removeContainers();
    for (const { Name } of (await engine.docker.listVolumes()).Volumes)
      await engine.docker.getVolume(Name).remove({ force: true });
    await vi.waitFor(works, { timeout: 60_000, interval: 500 });
  });

  test('keeps no container of a server that is killed', async () => {
    const second = await startServer({
      env: { DOCKER_HOST: `unix://${engine.socket}`, CODEBEAKER_RUNTIMES: 'Docker,Bun' },
    });
    const client = await RpcClient.connect(second.wsUrl);
    // An engine that was just asked a lot may not answer the first time.
    await vi.waitFor(() => open(client), { timeout: 60_000, interval: 500 });
    expect(await engine.containers()).not.toEqual([]);
    await second.kill9();
    await vi.waitFor(async () => expect(await engine.containers()).toEqual([]), 60_000);
    await vi.waitFor(async () => expect(await engine.volumes()).toEqual([]), 60_000);
    rmSync(second.dataDir, { recursive: true });
  });

  test('that cannot be reached is a sentence with a cure, and costs the others nothing', async () => {
    const lonely = await startServer({
      env: { DOCKER_HOST: 'unix:///nowhere/docker.sock', CODEBEAKER_RUNTIMES: 'Docker,Python' },
    });
    const { body } = await http(`${lonely.url}/health`);
    expect(body.runtimes.Docker).toMatchObject({
      available: false,
      reason: 'the Docker engine is not running',
    });
    const forced = await http(`${lonely.url}/api/execution`, 'POST', {
      language: 'python',
      code: '1',
      runtimeType: 'Docker',
    });
    expect(forced).toMatchObject({ status: 422, body: { code: 'RUNTIME_UNAVAILABLE' } });
    expect((await runOnce(lonely.url, { language: 'python', code: 'print(1)' })).outcome).toBe('ok');
    await lonely.stop();
  });
});
