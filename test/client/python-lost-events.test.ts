import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openHttp } from '../unit/support/open-http.ts';

/** Our client in Python, where a session keeps only the last events: those are read, and the loss of the others is told once. */
const PROGRAM = `import sys
from codebeaker import CodeBeaker
for event in CodeBeaker(sys.argv[1]).attach(sys.argv[2]).follow(sys.argv[3]):
    print(event['type'], event.get('text', '').strip())
`;
const env = {
  ...process.env,
  PYTHONPATH: join(import.meta.dirname, '../../src/client/python'),
  PYTHONDONTWRITEBYTECODE: '1',
};

test('a program in Python reads what is kept of commands that have ended', async () => {
  const http = await openHttp(
    {},
    {
      settings: { replayBytes: 3000 },
      async script(_, { print }) {
        for (let i = 0; i < 100; i++) await print(`${i}`.padStart(100), i % 2 ? 'stderr' : 'stdout');
        return {};
      },
    },
  );
  const session = await http.session();
  const ids: string[] = [];
  for (let i = 0; i < 2; i++) {
    const { result } = await session.shell('any', { background: true });
    const { executionId } = result as { executionId: string };
    ids.push(executionId);
    await expect
      .poll(async () => (await http.service.executions.status(executionId, http.call())).completedAt)
      .not.toBe(null);
  }
  const [first, second] = await Promise.all(
    ids.map(async id => {
      const { stdout } = await promisify(execFile)(
        '/usr/bin/python3',
        ['-c', PROGRAM, http.url, session.id, id],
        { env },
      );
      return stdout;
    }),
  );
  expect(first).toBe('lost \n');
  expect(second).toMatch(/^lost \n(output \d+\n)+output 99\ncompleted \n$/);
  await http.app.close();
});
