import { expect, test } from 'vitest';
import { Adapter } from '../../src/kernels/debugging/adapter.ts';

/** Prints, and stays: what is held back until its end would never be told. */
const PROGRAM = ['-e', 'console.error("said"); setInterval(() => {}, 1000)'];

test.each(['v8', 'webkit'] as const)(
  'a program that is run without its debugger is heard at once: %s',
  async engine => {
    const command = [process.execPath, ...PROGRAM];
    const heard = Promise.withResolvers<string>();
    const adapter = new Adapter(
      { engine, flagAt: 1, javascript: command, typescript: command },
      async message => {
        const { event, body } = message as { event?: string; body?: { category: string; output: string } };
        if (event === 'output' && body?.category === 'stderr') heard.resolve(body.output);
      },
    );
    try {
      await adapter.take({ seq: 1, command: 'launch', arguments: { program: 'x.js', noDebug: true } });
      await adapter.take({ seq: 2, command: 'configurationDone' });
      expect(await heard.promise).toBe('said\n');
    } finally {
      adapter.end();
    }
  },
);
