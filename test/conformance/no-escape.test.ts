import { describe, expect, inject, test } from 'vitest';
import { startedSandboxes } from '../support/matrix.ts';
import * as programs from '../support/programs.ts';
import { runOnce } from '../support/rest-client.ts';
import { mark, vanishes } from '../support/traces.ts';

/** What a program does to outlive its time, and that nothing of it is left. */
const server = inject('server');

/** They wait for clocks, and so do it beside each other. */
describe.concurrent.for(await startedSandboxes())(
  'nothing outlives a one-shot in $name',
  ({ language, runtimeType, dialect }) => {
    async function runMarked(program: typeof programs.HELLO, config = {}) {
      const trace = mark();
      const end = await runOnce(server.url, {
        language,
        runtimeType,
        code: program[dialect],
        config: { ...config, environment: trace.environment },
      });
      expect(await vanishes(trace.processes)).toEqual([]);
      return end;
    }

    test('that stops its whole process group', async () => {
      expect(await runMarked(programs.STOP_ITSELF, { timeout: 8 })).toMatchObject({
        status: 'timeout',
        outcome: 'wall_timeout',
        stdout: 'before\n',
      });
    });

    test('that ignores every signal it can', async () => {
      expect(await runMarked(programs.IGNORE_SIGNALS, { timeout: 8 })).toMatchObject({
        status: 'timeout',
        outcome: 'wall_timeout',
        stdout: 'before\n',
      });
    });

    test('that leaves a daemon in a session of its own, and ends', async () => {
      const end = await runMarked(programs.daemon('end'));
      expect(end).toMatchObject({ status: 'completed', outcome: 'ok', stdout: 'before\n' });
      expect(end.usage.wallMs).toBeLessThan(20_000);
    });

    test('that leaves a daemon in a session of its own, and times out', async () => {
      expect(await runMarked(programs.daemon('sleep'), { timeout: 8 })).toMatchObject({
        status: 'timeout',
        outcome: 'wall_timeout',
        stdout: 'before\n',
      });
    });

    test('that leaves a child holding its standard output open, which holds up nothing', async () => {
      const end = await runMarked(programs.HOLD_STDOUT);
      expect(end).toMatchObject({ status: 'completed', outcome: 'ok', stdout: 'done\n' });
      expect(end.usage.wallMs).toBeLessThan(20_000);
    });

    test('that forks until it is refused', async () => {
      expect(await runMarked(programs.forkUntilRefused(0))).toMatchObject({ outcome: 'ok' });
    });
  },
);
