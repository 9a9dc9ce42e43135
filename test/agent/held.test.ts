import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AgentProcess, collect, ENV, sleep } from './agent-process.ts';

/** Programs that wait, before their first instruction, for being put somewhere. */
const start = (agent: AgentProcess, argv: string[], place: (pid: number) => Promise<void>) =>
  agent.client.spawn({ argv, cwd: agent.root, env: ENV, stdin: 'none' }, { place });

test('a held program runs nothing of its own until it may, and then as any other', async () => {
  await using agent = await AgentProcess.start();
  const seen: unknown[] = [];
  const program = await start(agent, ['sh', '-c', 'touch ran; echo $$; exit 3'], async pid => {
    await sleep(100);
    seen.push(pid, existsSync(agent.path('ran')));
    // Of all that its agent has open, only what the program is to have, and where it waits.
    expect(readdirSync(`/proc/${pid}/fd`).length).toBe(4);
  });
  const { stdout, exit } = await collect(program);
  expect(exit).toEqual({ type: 'exit', code: 3, signal: null });
  expect(seen).toEqual([Number(String(stdout)), false]);
});

test('a held program that is killed keeps its number until its end is told', async () => {
  await using agent = await AgentProcess.start();
  const program = await start(agent, ['true'], async pid => {
    process.kill(pid, 'SIGKILL');
    // The agent collects what has ended meanwhile.
    await agent.run(['true']);
    expect(existsSync(`/proc/${pid}`)).toBe(true);
  });
  expect((await collect(program)).exit).toEqual({ type: 'exit', code: null, signal: 'SIGKILL' });
  expect((await agent.run(['true'])).exit.code).toBe(0);
});

test('a held program is no part of one that is killed, and one that is stopped goes on', async () => {
  await using agent = await AgentProcess.start();
  const other = await agent.start(['sleep', '60']);
  const program = await start(agent, ['echo', 'done'], async pid => {
    process.kill(pid, 'SIGSTOP');
    other.kill();
    await collect(other);
  });
  expect(String((await collect(program)).stdout)).toBe('done\n');
});

test('a held program that is none is refused, and many are held at once', async () => {
  await using agent = await AgentProcess.start();
  const places: (() => void)[] = [];
  const wait = () => new Promise<void>(resolve => places.push(resolve));
  await expect(start(agent, ['missing'], wait)).rejects.toMatchObject({ name: 'ProgramNotFound' });
  await expect(start(agent, ['/dev/null'], async () => {})).rejects.toMatchObject({
    name: 'FileRefused',
  });
  const starting = Array.from({ length: 5 }, (_, i) => start(agent, ['echo', String(i)], wait));
  while (places.length < 5) await sleep(5);
  for (const go of places.reverse()) go();
  const said = await Promise.all((await Promise.all(starting)).map(collect));
  expect(said.map(({ stdout }) => String(stdout))).toEqual(['0\n', '1\n', '2\n', '3\n', '4\n']);
});
