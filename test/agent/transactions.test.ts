import { readdirSync, statSync } from 'node:fs';
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
  expect(readdirSync(agent.root)).not.toContain('gone');
  // What was kept is removed beside everything else.
  await expect.poll(() => readdirSync(agent.root).filter(name => name.startsWith('.'))).toEqual([]);
  await expect(files.rollBack()).rejects.toThrow('No transaction is open');
});

test.each([0o555, 0o000, 0o1777])('a root of mode %o is one again', async mode => {
  // Nobody: what a mode forbids is forbidden.
  await using agent = await AgentProcess.start({ uid: 65_534 });
  const { files } = agent.client;
  await agent.shell(`echo old > f; mkdir d; chmod ${mode.toString(8)} .`);
  const before = statSync(agent.root);
  await files.begin({ whole: false, most: 0 });
  await files.write(agent.path('f'), Buffer.from('new'));
  await files.write(agent.path('d/new/file'), Buffer.from('new'));
  await files.rollBack();
  const after = statSync(agent.root);
  expect((after.mode & 0o7777).toString(8)).toBe(mode.toString(8));
  expect(after.mtimeMs).toBe(before.mtimeMs);
  // Programs still have it shut, and the service opens it as it always does.
  expect((await files.read(agent.path('f'))).data.toString()).toBe('old\n');
  expect(readdirSync(agent.path('d'))).toEqual([]);
});
