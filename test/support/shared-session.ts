import { afterAll } from 'vitest';
import { TestSession } from './session.ts';

/**
 * One session for all tests of the suite that calls this: for tests that bring their own names and paths, and leave it
 * fit for the next. The first that asks opens it, and the suite's end closes it.
 */
export function sharedSession(wsUrl: string, config: Record<string, unknown>): () => Promise<TestSession> {
  let opened: Promise<TestSession> | undefined;
  afterAll(async () => {
    await (await opened?.catch(() => undefined))?.[Symbol.asyncDispose]();
  });
  return () => {
    opened ??= TestSession.open(wsUrl, config);
    return opened;
  };
}
