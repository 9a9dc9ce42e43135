import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FileSkipped } from '../../src/sandbox.ts';
import { AgentProcess } from './agent-process.ts';

test('what is asked for in a chain is done in that order, and nothing after a failure', async () => {
  await using agent = await AgentProcess.start();
  const { files } = agent.client;
  const write = (name: string, text: string) => files.write(agent.path(name), Buffer.from(text));
  const asked: Promise<unknown>[] = [];
  files.inChain(() => {
    asked.push(
      write('a', 'first'),
      files.copy(agent.path('a'), agent.path('b'), { overwrite: true }),
      write('a', 'second'),
      files.remove(agent.path('missing'), { recursive: false }),
      write('c', 'never'),
      files.stat(agent.path('a')),
    );
  });
  const outside = write('d', 'of another');
  const ends = await Promise.allSettled(asked);
  expect(ends.map(({ status }) => status)).toEqual([
    ...Array(3).fill('fulfilled'),
    ...Array(3).fill('rejected'),
  ]);
  expect(ends[3]).toMatchObject({ reason: { name: 'FileRefused', reason: 'missing' } });
  for (const end of ends.slice(4)) expect((end as PromiseRejectedResult).reason).toBeInstanceOf(FileSkipped);
  await outside;
  expect(readdirSync(agent.root).sort()).toEqual(['a', 'b', 'd']);
  expect(['a', 'b'].map(name => readFileSync(agent.path(name), 'utf8'))).toEqual(['second', 'first']);
  files.inChain(() => asked.push(write('e', 'the next one')));
  await asked.at(-1);
});
