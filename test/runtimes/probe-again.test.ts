import { afterEach, expect, test, vi } from 'vitest';
import { startRuntimes } from './local/support.ts';

const path = process.env.PATH;
afterEach(() => {
  process.env.PATH = path;
  vi.useRealTimers();
});

test('a runtime that a cured machine can offer comes back by itself', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  process.env.PATH = '/nonexistent';
  const runtimes = await startRuntimes({ instance: 'again', runtimes: ['Python'] });
  const [python] = runtimes.all;
  expect(python?.state).toMatchObject({ available: false, remedy: expect.any(String) });
  process.env.PATH = path;
  vi.advanceTimersByTime(30_000);
  await vi.waitFor(() => expect(python?.state.available).toBe(true), 60_000);
  await runtimes[Symbol.asyncDispose]();
});
