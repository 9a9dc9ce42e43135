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

    /** On a very busy machine a program may not even have begun by then: it is given longer. */
    async function timesOut(program: typeof programs.HELLO): Promise<void> {
      let printed = '';
      for (const timeout of [8, 40]) {
        if (printed !== '') break;
        const end = await runMarked(program, { timeout });
        expect(end).toMatchObject({ status: 'timeout', outcome: 'wall_timeout' });
        printed = end.stdout;
      }
      expect(printed).toBe('before\n');
    }

    test('that stops its whole process group', () => timesOut(programs.STOP_ITSELF));

    test('that ignores every signal it can', () => timesOut(programs.IGNORE_SIGNALS));

    test('that leaves a daemon in a session of its own, and ends', async () => {
      const end = await runMarked(programs.daemon('end'));
      expect(end).toMatchObject({ status: 'completed', outcome: 'ok', stdout: 'before\n' });
      // What it leaves sleeps a minute and more.
      expect(end.usage.wallMs).toBeLessThan(55_000);
    });

    test('that leaves a daemon in a session of its own, and times out', () =>
      timesOut(programs.daemon('sleep')));

    test('that leaves a child holding its standard output open, which holds up nothing', async () => {
      const end = await runMarked(programs.HOLD_STDOUT);
      expect(end).toMatchObject({ status: 'completed', outcome: 'ok', stdout: 'done\n' });
      // What it leaves sleeps a minute and more.
      expect(end.usage.wallMs).toBeLessThan(55_000);
    });

    test('that forks until it is refused', async () => {
      expect(await runMarked(programs.forkUntilRefused(0))).toMatchObject({ outcome: 'ok' });
    });
  },
);
