import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { AgentClient } from '../../src/agent-client/agent-client.ts';
import { AttachedStream } from '../../src/runtimes/docker/attached-stream.ts';
import { guarded } from '../../src/wire/guarded.ts';

test('what a guarded listener throws goes to its handler, whatever that does', () => {
  const told: string[] = [];
  const listener = guarded(
    (text: string) => {
      throw text;
    },
    ({ message }) => {
      told.push(message);
      throw new Error('again');
    },
  );
  listener('oops');
  expect(told).toEqual(['oops']);
});

test('every listener of what another process says is guarded', () => {
  const root = join(import.meta.dirname, '../..');
  const files = globSync('{src,plugins,routes}/**/*.ts', { cwd: root, exclude: ['src/kernels/**'] });
  const bare = files.flatMap(file => {
    const text = readFileSync(join(root, file), 'utf8');
    const found = text.matchAll(/\.(?:on|once)\(\s*'(?:data|message|upgrade|response)',\s*\(?(\w+)/g);
    return [...found].map(([, listener]) => `${file}: ${listener}`);
  });
  expect(bare.filter(each => !/: (guarded|on)$/.test(each)).sort()).toEqual([
    // Looks at nothing that comes.
    'plugins/keepalive.ts: alive',
    // Its user's keyboard, which ends no server.
    'src/cli/terminal.ts: type',
    // Made by guarded: they are taken off again.
    'src/network/egress/egress-proxy.ts: onData',
    'src/network/egress/served-networks.ts: read',
    'src/runtimes/local/agent-socket.ts: read',
    // A thread of this process.
    'src/service/store/execution-store-worker.ts: request',
    'src/service/store/execution-store.ts: reply',
  ]);
});

/** A stream whose other end the test is. */
function ends(): { near: Duplex; far: PassThrough } {
  const far = new PassThrough();
  return { near: Duplex.from({ readable: far, writable: new PassThrough().resume() }), far };
}

test.each([
  ['no frames', Buffer.alloc(64, 0xff)],
  ['frames of a stream that there is not', Buffer.from([9, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4])],
  ['a line of text', Buffer.from('{"message":"no such container"}\n')],
  ['an agent’s nonsense', Buffer.from([1, 0, 0, 0, 0, 0, 0, 8, ...Buffer.alloc(8, 0xee)])],
])('an engine whose attached stream brings %s costs that sandbox', async (_, bytes) => {
  const { near, far } = ends();
  const agent = new AgentClient(new AttachedStream(near, () => Promise.reject(new Error('no events'))));
  far.write(bytes);
  far.end();
  expect((await agent.lost).name).toBe('SandboxLost');
});

test('an end is told though nobody knows whether memory was its reason', async () => {
  const { near, far } = ends();
  const agent = new AgentClient(near, () => {
    throw new Error('the control group is gone');
  });
  far.end();
  expect(await agent.lost).toMatchObject({ name: 'SandboxLost', outOfMemory: false });
});
