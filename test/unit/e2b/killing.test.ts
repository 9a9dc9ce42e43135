import { afterAll, expect, it } from 'vitest';
import type { Script } from '../support/memory-process.ts';
import { framed, openE2b } from './open-e2b.ts';

/** Takes a moment to end. */
const lingers: Script = (_, { killed }) =>
  new Promise(resolve => {
    killed.addEventListener('abort', () => setTimeout(resolve, 50, { signal: 'SIGKILL' }));
  });
const door = await openE2b({ script: lingers });
afterAll(() => door.app.close());

it('a program that was killed is gone for whoever looks right after', async () => {
  const made = await door.create();
  const headers = door.to(made);
  const cut = new AbortController();
  const started = await door.send('/process.Process/Start', {
    body: framed({ process: { cmd: 'sleep' } }),
    headers: { ...headers, 'content-type': 'application/connect+json' },
    signal: cut.signal,
  });
  await started.body!.getReader().read();
  const list = async () => (await door.ask('/process.Process/List', { body: {}, headers })).body.processes;
  const [program] = (await list()) as { pid: number }[];
  const signal = { process: { pid: program!.pid }, signal: 'SIGNAL_SIGKILL' };
  expect(await door.ask('/process.Process/SendSignal', { body: signal, headers })).toMatchObject({
    status: 200,
  });
  expect(await list()).toEqual([]);
  cut.abort();
});
