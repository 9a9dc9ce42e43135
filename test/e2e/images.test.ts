import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, inject } from 'vitest';
import { needs } from '../support/needs.ts';
import { http, runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';
import { startServer } from '../support/start-server.ts';

/** Containers of images that are not the service's own, and engines that are not on its usual socket. */
const test = needs('docker engine', 'musl-gcc');
const MUSL = 'codebeaker-test-musl';
const server = inject('server');
const docker = new Docker();

/** An image of one small program on another C library, and a directory that everybody may write. */
async function importMuslImage(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'musl-'));
  const source = join(root, 'hello.c');
  for (const name of ['bin', 'lib', 'open']) mkdirSync(join(root, name));
  chmodSync(join(root, 'open'), 0o777);
  writeFileSync(
    source,
    `#include <stdio.h>
int main(int argc, char **argv) {
  if (argc < 2) return puts("hello from musl"), 0;
  FILE *file = fopen(argv[1], "w");
  if (!file) return perror("refused"), 1;
  static char block[1 << 20];
  for (int i = 0; i < atoi(argv[2]); i++) fwrite(block, 1, sizeof block, file), fflush(file);
  puts("written");
  for (;;);
}`.replace('#include <stdio.h>', '#include <stdio.h>\n#include <stdlib.h>'),
  );
  execFileSync('musl-gcc', ['-o', join(root, 'bin/hello'), source]);
  const interpreter = /\[Requesting program interpreter: (.*)\]/.exec(
    execFileSync('readelf', ['-l', join(root, 'bin/hello')], { encoding: 'utf8' }),
  )![1]!;
  copyFileSync(interpreter, join(root, interpreter));
  const tar = spawn('tar', ['c', '-C', root, 'bin', 'lib', 'open']);
  const answer = await docker.importImage(tar.stdout as never, { repo: MUSL, tag: 'latest' });
  answer.resume();
  await once(answer, 'end');
  rmSync(root, { recursive: true });
}

describe('an image', () => {
  beforeAll(importMuslImage);
  afterAll(() => docker.getImage(MUSL).remove({ force: true }));
  const open = (dockerImage: string) => TestSession.open(server.wsUrl, { language: 'python', dockerImage });

  test('with nothing of the service in it runs its own programs', async () => {
    await using session = await open('codebeaker-base');
    expect(session.info.runtimeType).toBe('Docker');
    const said = await session.shell('sh', ['-c', 'cat; id -u'], { stdin: 'in ' });
    expect(said.stdout).toMatch(/^in \d{10}\n$/);
    await session.done('write_file', { path: 'a/b', content: 'c' });
    expect((await session.done('read_file', { path: 'a/b' })).content).toBe('c');
    expect((await session.command('execute_shell', { commandName: 'python3' })).error).toBe(
      'Program not found: python3',
    );
    const request = { language: 'python', code: '1', dockerImage: 'codebeaker-base' };
    expect(await runOnce(server.url, request)).toMatchObject({
      outcome: 'nonzero_exit',
      exitCode: 127,
      stderr: 'Program not found: python3\n',
    });
  });

  test('on another C library runs its own programs', async () => {
    await using session = await open(MUSL);
    expect(await session.shell('/bin/hello')).toMatchObject({ exitCode: 0, stdout: 'hello from musl\n' });
    expect((await session.done('list_directory', { path: '.' })).entries).toEqual([]);
  });

  test('has a root that nobody can write', async () => {
    await using session = await open(MUSL);
    expect(await session.shell('/bin/hello', ['/open/file', '1'])).toMatchObject({ exitCode: 1 });
  });

  test('that is not allowed or not there is refused by name', async () => {
    const ask = (dockerImage: string) =>
      http(`${server.url}/api/execution`, 'POST', { language: 'python', code: '1', dockerImage });
    const foreign = await ask('debian:latest');
    expect(foreign).toMatchObject({ status: 422, body: { code: 'NOT_SUPPORTED' } });
    expect(foreign.body.message).toMatch(/^dockerImage: debian:latest is none of the images/);
    await expect(open('codebeaker-missing')).rejects.toMatchObject({
      message: expect.stringMatching(
        /dockerImage: codebeaker-missing is not on the engine, and nothing is pulled/,
      ),
      data: { code: 'RUNTIME_UNAVAILABLE' },
    });
  });
});

describe('an engine behind TCP', () => {
  test('is as good as one on a socket', async () => {
    const proxy = createServer(client => {
      const engine = connect('/var/run/docker.sock');
      client.on('error', () => engine.destroy()).on('close', () => engine.destroy());
      engine.on('error', () => client.destroy()).on('close', () => client.destroy());
      client.pipe(engine).pipe(client);
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as { port: number };
    const remote = await startServer({
      env: { DOCKER_HOST: `tcp://127.0.0.1:${port}`, CODEBEAKER_RUNTIMES: 'Docker' },
    });
    try {
      expect(await runOnce(remote.url, { language: 'python', code: 'print(6 * 7)' })).toMatchObject({
        runtimeType: 'Docker',
        stdout: '42\n',
      });
    } finally {
      await remote.stop();
      proxy.close();
    }
  });
});

describe('the choice of a runtime', () => {
  const chosen = async (config: object) => {
    await using session = await TestSession.open(server.wsUrl, config as Record<string, unknown>);
    return session.info.runtimeType;
  };

  /** The runtime of a language that was measured to need the least. */
  const least = async (language: string, what: 'startupMs' | 'memoryMB') => {
    const { body } = await http(`${server.url}/api/language/${language}`);
    const measured = body.runtimes.filter((each: Measured) => each.available) as Measured[];
    return measured.sort((a, b) => a[what] - b[what])[0]!.runtimeType;
  };

  test('follows what was measured here, and containers are the safest', async () => {
    expect(await chosen({ language: 'python', runtimePreference: 'Security' })).toBe('Docker');
    expect(await chosen({ language: 'javascript', runtimePreference: 'Security' })).toBe('Docker');
    for (const language of ['javascript', 'python']) {
      const speed = { language, runtimePreference: 'Speed' };
      expect(await chosen(speed)).toBe(await least(language, 'startupMs'));
      const memory = { language, runtimePreference: 'Memory' };
      expect(await chosen(memory)).toBe(await least(language, 'memoryMB'));
    }
    // By all of it: an interpreter in a sandbox is far ahead of a container, on a busy machine too.
    expect(await chosen({ language: 'python' })).toBe('Python');
    expect(await chosen({ language: 'csharp' })).toBe('Docker');
  });
});

interface Measured {
  readonly runtimeType: string;
  readonly available: boolean;
  readonly startupMs: number;
  readonly memoryMB: number;
}
