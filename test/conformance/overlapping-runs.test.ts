import { describe, inject, test } from 'vitest';
import { startedSandboxes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** Programs and cells that run at once in one session: each is judged, and told what it used, by itself. */
const server = inject('server');
const MB = 1024 * 1024;
const CELLS = {
  python: {
    idle: `import time; time.sleep(60)`,
    failsOnce: (file: string) =>
      `import os, time\nwhile not os.path.exists('${file}'): time.sleep(.02)\nraise ValueError('mine')`,
  },
  javascript: {
    idle: `await new Promise(resolve => setTimeout(resolve, 60_000))`,
    failsOnce: (file: string) =>
      `import { existsSync } from 'node:fs';
      while (!existsSync('${file}')) await new Promise(resolve => setTimeout(resolve, 20));
      throw new Error('mine')`,
  },
};
const SPIN = ['-c', 'while :; do :; done'];
const EAT = ['BEGIN { text = "x"; while (1) text = text text }'];

describe.concurrent.for(await startedSandboxes())(
  'beside a busy program in $name',
  async ({ language, runtimeType, dialect }) => {
    test('each run has its own outcome and usage', async ({ expect }) => {
      const config = { language, runtimeType, cpuShares: 256, memoryLimitMB: 192 };
      await using session = await TestSession.open(server.wsUrl, config);
      const sh = (args: string[], more = {}) =>
        session.command('execute_shell', { commandName: 'sh', args, ...more });
      const { idle, failsOnce } = CELLS[dialect];
      const busy = await sh(SPIN, { background: true, timeout: 4 });

      const [cell, program] = await Promise.all([
        session.cell(idle, { timeout: 1 }),
        session.shell('sleep', ['60'], { timeout: 1 }),
      ]);
      for (const { outcome, usage } of [cell.result, program]) {
        expect(outcome).toBe('wall_timeout');
        expect(usage.cpuMs).toBeLessThan(400);
        expect(usage.limitsHit).toEqual([]);
      }

      const failing = session.cell(failsOnce('go'), { context: 'second' });
      const eater = await session.shell('awk', EAT);
      expect(eater).toMatchObject({ outcome: 'memory_limit', usage: { oomKilled: true } });
      await session.done('write_file', { path: 'go', content: '' });
      const { result, error } = await failing;
      expect(error).toContain('mine');
      expect(result).toMatchObject({ outcome: 'nonzero_exit', usage: { oomKilled: false, limitsHit: [] } });
      expect(result.usage.peakMemoryBytes ?? 0).toBeLessThan(eater.usage.peakMemoryBytes);
      expect(eater.usage.peakMemoryBytes).toBeGreaterThan(64 * MB);
      expect(await sh(['-c', 'exit 3'])).toMatchObject({ result: { outcome: 'nonzero_exit', exitCode: 3 } });

      const { executionId } = busy.result;
      const status = () => session.client.call('execution.status', { executionId });
      await expect.poll(async () => (await status()).status, { timeout: 60_000 }).toBe('timeout');
      const { usage } = await status();
      expect(usage.cpuMs).toBeGreaterThan(cell.result.usage.cpuMs);
      expect(usage).toMatchObject({ oomKilled: false, limitsHit: [] });
    });
  },
);
