import { afterAll, afterEach } from 'vitest';
import { lentSession } from './lent-session.ts';
import type { TestSession } from './session.ts';

/**
 * One session for all tests of the suite that calls this: for tests that bring their own names and paths, and leave it
 * fit for the next. The first that asks opens it, and the suite's end closes it. After a test that failed, which may have left
 * anything, the next has a new one.
 */
export function sharedSession(
  wsUrl: string,
  config: { readonly language: string; readonly runtimeType: string },
): () => Promise<TestSession> {
  let opened: Promise<TestSession> | undefined;
  const taken = async () => {
    const session = await opened?.catch(() => undefined);
    opened = undefined;
    return session;
  };
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') await (await taken())?.close();
  });
  afterAll(async () => (await taken())?.[Symbol.asyncDispose]());
  return () => {
    opened ??= lentSession(wsUrl, config);
    return opened;
  };
}
