import { readdirSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Expectation } from '../../src/sandbox.ts';
import { AgentProcess } from './agent-process.ts';

test('of many who change the same version of a file one does, and the others are told', async () => {
  await using agent = await AgentProcess.start();
  const { files } = agent.client;
  const path = agent.path('f');
  const versionOf = async () => {
    const source = await files.openRead(path);
    source.close();
    return source.status.version;
  };
  const write = async (text: string, expects: Expectation) => {
    const sink = await files.openWrite(path, { expects });
    await sink.write(Buffer.from(text));
    return (await sink.commit()).version;
  };

  const all = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => write(`${i}`, 'nothing')));
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(all.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { reason: 'changed', message: `It is there already: ${path}` },
  });
  const first = await versionOf();
  expect(all).toContainEqual({ status: 'fulfilled', value: first });

  const next = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => write(`${i}`, { versions: ['0-0', first] })),
  );
  expect(next.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  // A program’s change is one too, and so is another file of the name.
  for (const change of ['echo by a program >> f', 'cp f g; mv g f', 'chmod 600 f']) {
    const sink = await files.openWrite(path, { expects: { versions: [await versionOf()] } });
    await agent.shell(change);
    const before = readFileSync(path);
    await expect(sink.commit()).rejects.toMatchObject({ reason: 'changed' });
    expect(readFileSync(path)).toEqual(before);
  }
  await expect(files.remove(path, { recursive: false, expects: { versions: [first] } })).rejects.toThrow(
    `It is another version by now: ${path}`,
  );
  await files.remove(path, { recursive: false, expects: { versions: [await versionOf()] } });
  for (const expects of ['something', { versions: [first] }] as const) {
    await expect(files.openWrite(agent.path('new/deep/file'), { expects })).rejects.toThrow(
      `It is not there: ${agent.path('new/deep/file')}`,
    );
    await expect(files.openWrite(path, { expects, append: true })).rejects.toMatchObject({
      reason: 'changed',
    });
  }
  expect(readdirSync(agent.root)).toEqual([]);
});

test('what is appended to is what was expected when it began', async () => {
  await using agent = await AgentProcess.start();
  const { files } = agent.client;
  const path = agent.path('f');
  await files.write(path, Buffer.from('a'));
  const { status, close } = await files.openRead(path);
  close();
  const expects = { versions: [status.version] };
  const sink = await files.openWrite(path, { append: true, expects });
  await sink.write(Buffer.from('b'));
  await sink.commit();
  await expect(files.openWrite(path, { append: true, expects })).rejects.toMatchObject({ reason: 'changed' });
  expect([readFileSync(path, 'utf8'), statSync(path).size]).toEqual(['ab', 2]);
});
