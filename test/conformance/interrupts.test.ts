import { describe, expect, inject, test } from 'vitest';
import { matrix } from '../support/matrix.ts';
import * as programs from '../support/programs.ts';
import type { TestSession } from '../support/session.ts';
import { sharedSession } from '../support/shared-session.ts';

/**
 * A cell that never ends is ended in four ways. Where the engine can interrupt it, its state stays; where it can't, the
 * reply says that the state is gone. Either way the next cell runs.
 */
const server = inject('server');
/** TypeScript has JavaScript's kernels. */
const cells = (await matrix()).filter(({ language }) => language !== 'typescript');

interface Run {
  readonly session: TestSession;
  /** Of the request that runs the cell. */
  readonly id: number;
  readonly executionId: string;
}

const WAYS: readonly [string, (run: Run) => unknown][] = [
  ['$/cancelRequest', ({ session, id }) => session.client.notify('$/cancelRequest', { id })],
  [
    'execution.cancel',
    ({ session, executionId }) => session.client.call('execution.cancel', { executionId }),
  ],
  [
    'process.signal SIGINT',
    ({ session }) =>
      session.client.call('process.signal', {
        sessionId: session.id,
        commandId: 'endless',
        signal: 'SIGINT',
      }),
  ],
];

describe.for(cells)('an endless cell of $name', ({ language, runtimeType, dialect }) => {
  const shared = sharedSession(server.wsUrl, { language, runtimeType });
  const python = dialect === 'python';
  const say = python ? 'print(kept)' : 'console.log(kept)';
  // Deno and Bun give nobody the means: https://github.com/oven-sh/bun and Deno's node:vm take no `breakOnSigint`.
  const interruptible = !['Bun', 'Deno'].includes(runtimeType);

  async function goesOn(session: TestSession): Promise<void> {
    const next = await session.cell(say);
    if (interruptible) expect(next).toMatchObject({ success: true, result: { stdout: '5\n' } });
    else expect(next).toMatchObject({ success: false, result: { outcome: 'nonzero_exit' } });
    expect((await session.cell('40 + 2')).result.results).toMatchObject([{ 'text/plain': '42' }]);
  }

  test.for(WAYS)('is ended by %s', async ([, end]) => {
    const session = await shared();
    await session.done('execute_code', { code: 'kept = 5' });
    // What is awaited below is told of this cell, and not of one before it.
    session.client.notifications.length = 0;
    const command = { type: 'execute_code', id: 'endless', code: programs.SPIN[dialect] };
    const { id, reply } = session.client.request('session.execute', {
      sessionId: session.id,
      command,
      stream: true,
    });
    const { params } = await session.client.notified(({ method }) => method === 'execution.output');
    await end({ session, id, executionId: params.executionId });
    const said: string = await reply.then(
      answer => answer.error,
      (error: Error) => error.message,
    );
    expect(said).toMatch(interruptible ? /^(?!.*state is gone)/ : /state is gone/);
    await goesOn(session);
  });

  test('is ended by its timeout', async () => {
    const session = await shared();
    await session.done('execute_code', { code: 'kept = 5' });
    const { error } = await session.cell(programs.SPIN[dialect], { timeout: 0.3 });
    expect(error).toMatch(interruptible ? /^(?!.*state is gone)/ : /state is gone/);
    await goesOn(session);
  });
});
