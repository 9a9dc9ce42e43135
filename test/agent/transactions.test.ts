import { expect, test } from 'vitest';
import { AgentProcess } from './agent-process.ts';
import { listing } from './tree-listing.ts';

test('what file operations change is undone to the last nanosecond', async () => {
  await using agent = await AgentProcess.start();
  const { files } = agent.client;
  const at = (name: string) => agent.path(name);
  const write = (name: string, text: string, append = false) =>
    files.write(at(name), Buffer.from(text), { append });
  await agent.shell(`mkdir -p d/empty deep/er shut; echo one > d/f; ln d/f d/g; echo old > d/old; chmod 640 d/old; echo log > log
    ln -s d/old link; mkfifo pipe; truncate -s 1M hole; printf x >> hole; mkdir -p gone/with; echo a > gone/with/a; chmod 500 gone/with
    echo s > shut/s; chmod 555 shut; touch -d '2001-02-03 04:05:06.789' d deep shut log .; chmod 750 d`);
  const before = listing(agent.root);
  await files.begin({ whole: false, most: 0 });
  await write('d/old', 'new');
  await write('link', 'newer');
  await write('d/g', 'through another name');
  await write('log', 'more', true);
  await write('new/deep/er', 'x');
  await files.makeDirectory(at('made/here'), { recursive: true });
  await files.copy(at('hole'), at('d/f'), { overwrite: true });
  await files.copy(at('hole'), at('hole2'), { overwrite: false });
  await files.move(at('deep'), at('d/empty'), { overwrite: true });
  await write('d/empty/er/below', 'x');
  await files.move(at('pipe'), at('log'), { overwrite: true });
  await files.remove(at('gone'), { recursive: true });
  await write('gone', 'now a file');
  await files.remove(at('link'), { recursive: false });
  await files.remove(at('d'), { recursive: true });
  await write('d/x', 'x');
  await expect(write('d', 'x')).rejects.toThrow('Is a directory');
  expect(
    (await files.list(at(''), { recursive: true, includeHidden: true, maxDepth: 0 })).map(({ path }) => path),
  ).not.toContainEqual(expect.stringMatching(/transaction/));
  expect(listing(agent.root)).not.toEqual(before);
  await files.rollBack();
  expect(listing(agent.root)).toEqual(before);

  await files.begin({ whole: false, most: 0 });
  await write('d/old', 'new');
  await files.remove(at('gone'), { recursive: true });
  await files.commit();
  const after = listing(agent.root);
  expect([...after.keys()]).not.toContain('gone');
  expect([...after.keys()].filter(name => name.startsWith('.'))).toEqual(['.']);
  await expect(files.rollBack()).rejects.toThrow('No transaction is open');
});
