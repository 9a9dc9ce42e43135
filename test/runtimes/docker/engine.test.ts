import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from '@sinclair/typebox';
import { pack } from 'tar-fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Engine, EngineUnable } from '../../../src/runtimes/docker/engine.ts';
import { follow } from '../../../src/runtimes/docker/progress.ts';
import { type Answer, FakeEngine } from '../../support/fake-engine.ts';

/** Whatever an engine answers, a call ends in its time with a sentence, and nothing of it is left. */
const MB = 1024 * 1024;
const DEADLINE_MS = 1000;
const Image = Type.Object({ Id: Type.String() });

let fake: FakeEngine;
let engine: Engine;
beforeEach(() => {
  fake = new FakeEngine();
  vi.stubEnv('DOCKER_HOST', `unix://${fake.socket}`);
  engine = new Engine();
});
afterEach(() => {
  vi.unstubAllEnvs();
  fake[Symbol.dispose]();
});

const inspect = (name = 'any') => engine.ask(Image, docker => docker.getImage(name).inspect(), DEADLINE_MS);
const misbehave = (answer: Answer) => {
  fake.misbehave = [/./, answer];
};

test('a name stays a name in the URL, whatever it is made of', async () => {
  await expect(inspect('a/b:c@d?e=f#g/../h%2f i')).rejects.toMatchObject({ status: 404 });
  const name = 'a%2Fb%3Ac%40d%3Fe%3Df%23g%2F..%2Fh%252f%20i';
  const calls = await Promise.allSettled([
    engine.call(docker => docker.getContainer('x/../y?z').start()),
    engine.call(docker => docker.getVolume('x/../y?z').remove()),
  ]);
  expect(calls).toHaveLength(2);
  expect(fake.asked.sort()).toEqual([
    'DELETE /volumes/x%2F..%2Fy%3Fz',
    `GET /images/${name}/json`,
    'POST /containers/x%2F..%2Fy%3Fz/start',
  ]);
});

test('a redirect is followed nowhere', async () => {
  let visits = 0;
  const elsewhere = createServer((_, response) => {
    visits++;
    response.end('{"Id":"elsewhere"}');
  }).listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  const { port } = elsewhere.address() as AddressInfo;
  for (const status of [301, 302, 303, 307, 308]) {
    misbehave((_, response) => {
      response.writeHead(status, { location: `http://127.0.0.1:${port}/` });
      response.end();
    });
    await expect(inspect()).rejects.toThrow('it points elsewhere, which is not followed');
  }
  expect(visits).toBe(0);
  elsewhere.close();
});

describe('an answer', () => {
  const cases: [string, Answer, RegExp][] = [
    ['that is no JSON', (_, response) => response.end('<html>'), /can't be read/],
    ['of another shape', (_, response) => response.end('{"Id":1}'), /can't be read: \/Id/],
    ['of nothing', (_, response) => response.end(), /can't be read/],
    ['that is null', (_, response) => response.end('null'), /can't be read/],
    ['of null in a refusal', (_, response) => response.writeHead(500).end('null'), /status 500/],
    [
      'with a long refusal',
      (_, response) => response.writeHead(500).end(JSON.stringify({ message: 'x'.repeat(MB) })),
      /^x{500}$/,
    ],
    ['without an end', endless, /over 16 MiB/],
    ['without an end in a refusal', (q, response) => endless(q, response.writeHead(500)), /over 16 MiB/],
    ['that never comes', () => {}, /has not answered for 1 s/],
    ['that comes a byte at a time', (_, response) => void drip(response), /has not answered for 1 s/],
    [
      'that is cut',
      (_, response) => {
        response.writeHead(200, { 'content-length': 1000 }).write('{"Id":');
        setTimeout(() => response.destroy(), 50);
      },
      /can't be used/,
    ],
    ['that is no HTTP', (_, response) => response.socket?.end('what?\r\n\r\n'), /can't be used/],
    ['that hangs up', (_, response) => response.destroy(), /can't be used/],
    [
      'that is a connection',
      (_, response) =>
        response.socket?.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: tcp\r\n\r\n'),
      /nobody asked for/,
    ],
  ];
  test.for(cases)('%s is an error of its call', async ([, answer, message]) => {
    misbehave(answer);
    const error = await inspect().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EngineUnable);
    expect((error as Error).message).toMatch(message);
    fake.misbehave = [/./, (_, response) => response.end('{"Id":"good"}')];
    expect(await inspect()).toEqual({ Id: 'good' });
  });
});

test('what is sent may be a stream of whatever kind, and one that breaks breaks its call', async () => {
  let received = 0;
  misbehave((request, response) => {
    request.on('data', chunk => {
      received += chunk.length;
    });
    request.on('end', () => response.end());
  });
  const put = (directory: string) =>
    engine.call(docker => docker.getContainer('x').putArchive(pack(directory), { path: '/' }), DEADLINE_MS);
  await put(import.meta.dirname);
  expect(received).toBeGreaterThan(10_000);
  await expect(put('/nowhere')).rejects.toThrow(/sent .* ENOENT/);
});

describe('a stream', () => {
  const imported = () =>
    engine.call(
      async docker => follow((await docker.importImage(Buffer.alloc(10) as never, {})) as never),
      DEADLINE_MS,
    );

  test.for<[string, Answer, RegExp]>([
    ['of garbage', (_, response) => response.end('{nothing\n'), /JSON/],
    ['of one line', endless, /a line is over/],
    ['of no end', (_, response) => void drip(response, '{"status":"x"}\n'), /has not answered for 1 s/],
    ['that says what went wrong', (_, response) => response.end('{"error":"bad tar"}\n'), /bad tar/],
    ['that breaks', (_, response) => void response.write('{}\n', () => response.destroy()), /can't be used/],
  ])('%s is an error of its call', async ([, answer, message]) => {
    misbehave(answer);
    await expect(imported()).rejects.toThrow(message);
  });

  test('that breaks while nobody listens harms nobody', async () => {
    misbehave((_, response) => {
      response.write('{}\n');
      setTimeout(() => response.destroy(), 50);
    });
    const stream = (await engine.call(docker => docker.getEvents({}))) as Duplex;
    await vi.waitFor(() => expect(stream.destroyed).toBe(true), 60_000);
  });

  const attach = () =>
    engine.call(
      docker => docker.getContainer('x').attach({ stream: true, stdin: true, stdout: true, hijack: true }),
      DEADLINE_MS,
    ) as Promise<Duplex>;

  test('that is a connection lives on after its call, and breaks alone', async () => {
    let theirs: Duplex | undefined;
    misbehave((_, response) => {
      theirs = response.socket as Duplex;
      theirs.write('HTTP/1.1 101 UPGRADED\r\nconnection: Upgrade\r\nupgrade: tcp\r\n\r\nhello');
    });
    const stream = await attach();
    expect(String((await once(stream, 'data'))[0])).toBe('hello');
    await sleep(DEADLINE_MS * 1.5);
    expect(stream.destroyed).toBe(false);
    theirs?.destroy();
    await vi.waitFor(() => expect(stream.destroyed).toBe(true), 60_000);
    stream.write('into nothing');
  });

  test('is none where a connection was asked for', async () => {
    misbehave((_, response) => response.end('{}'));
    await expect(attach()).rejects.toThrow('opens no connection');
  });
});

test('an address that is none is a sentence', async () => {
  for (const address of ['ssh://somebody@127.0.0.1', 'tcp://[']) {
    vi.stubEnv('DOCKER_HOST', address);
    await expect(new Engine().call(docker => docker.ping())).rejects.toThrow(/DOCKER_HOST/);
  }
});

function endless(_: unknown, response: Parameters<Answer>[1]): void {
  const more = () => {
    while (!response.destroyed && response.write(Buffer.alloc(MB, 'x')));
  };
  response.on('drain', more);
  more();
}

async function drip(response: Parameters<Answer>[1], text = ' '): Promise<void> {
  while (!response.destroyed) {
    response.write(text);
    await sleep(50);
  }
}
