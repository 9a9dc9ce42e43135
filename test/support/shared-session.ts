import { afterAll, afterEach } from 'vitest';
import { TestSession } from './session.ts';

/**
 * One session for all tests of the suite that calls this: for tests that bring their own names and paths, and leave it
 * fit for the next. The first that asks opens it, and the suite's end closes it. After a test that failed, which may have left
 * anything, the next has a new one.
 */
export function sharedSession(wsUrl: string, config: Record<string, unknown>): () => Promise<TestSession> {
  let opened: Promise<TestSession> | undefined;
  const close = async () => {
    const session = await opened?.catch(() => undefined);
    opened = undefined;
    await session?.[Symbol.asyncDispose]();
  };
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await close();
  });
  afterAll(close);
  return () => {
    opened ??= TestSession.open(wsUrl, config);
    return opened;
  };
}
