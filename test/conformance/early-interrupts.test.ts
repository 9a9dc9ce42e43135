import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';
import * as programs from '../support/programs.ts';

/** Cells that are ended at once, before or just after their interpreter has begun them, where it can be interrupted. */
const server = inject('server');
const cells = (await matrix()).filter(
  ({ language, runtimeType }) => language !== 'typescript' && !['Bun', 'Deno'].includes(runtimeType),
);

describe.for(cells)('cells of $name that are ended at once', ({ language, runtimeType, dialect }) => {
  test('leave the state as it was', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const { client } = session;
    await session.done('execute_code', { code: 'kept = 5' });
    for (let round = 0; round < 12; round++) {
      const command = { type: 'execute_code', id: `endless ${round}`, code: programs.SPIN[dialect] };
      const { id, reply } = client.request('session.execute', { sessionId: session.id, command });
      const answer = reply.then(
        ({ error }) => error,
        ({ message }: Error) => message,
      );
      // So that it is anywhere between the service and the interpreter.
      for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
      client.notify('$/cancelRequest', { id });
      expect(await answer).toMatch(/^Cancelled(?!.*state is gone)/);
      expect(await session.prints(dialect === 'python' ? 'print(kept)' : 'console.log(kept)')).toBe('5\n');
    }
  });
});
