import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { AgentClient } from '../../src/agent-client/agent-client.ts';
import { AgentProcess, collect, ENV } from './agent-process.ts';

const freshPath = () => `/dev/shm/codebeaker-direct-${randomUUID()}`;
const reached = (path: string) =>
  new Promise<boolean>(resolve => {
    const socket = connect(path, () => resolve(true)).once('error', () => resolve(false));
    socket.unref();
  });

test('who connects to it before it was asked for anything has its stream, alone, as long as the first one lasts', async () => {
  const direct = freshPath();
  await using agent = await AgentProcess.start({ direct });
  // Is no request.
  agent.client.stayAlive();
  const client = new AgentClient(connect(direct));
  await client.ready;
  expect([existsSync(direct), await reached(direct)]).toEqual([false, false]);
  agent.client.stayAlive();
  const echo = { argv: ['echo', 'here'], cwd: agent.root, env: ENV, stdin: 'none' } as const;
  expect((await collect(await client.spawn(echo))).stdout.toString()).toBe('here\n');
  await client.files.write(agent.path('f'), Buffer.from('text'));
  expect((await client.files.read(agent.path('f'))).data.toString()).toBe('text');
  agent.stream.destroy();
  expect((await client.lost).name).toBe('SandboxLost');
  await agent.ended();
});

test('it ends when who connected has gone', async () => {
  const direct = freshPath();
  await using agent = await AgentProcess.start({ direct });
  const client = new AgentClient(connect(direct));
  await client.ready;
  client.destroy();
  await agent.ended();
});

test('what it starts finds nothing to connect to', async () => {
  const direct = freshPath();
  await using agent = await AgentProcess.start({ direct });
  expect(existsSync(direct)).toBe(true);
  const { stdout } = await agent.run(['sh', '-c', `ls ${direct} 2> /dev/null; echo over`]);
  expect(stdout.toString()).toBe('over\n');
});

test('a path that it can’t listen on is no reason to end', async () => {
  for (const direct of ['/dev/shm/none/at/all', `/dev/shm/${'x'.repeat(200)}`]) {
    await using agent = await AgentProcess.start({ direct });
    expect((await agent.run(['echo', 'here'])).stdout.toString()).toBe('here\n');
  }
});
