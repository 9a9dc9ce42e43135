import { expect, inject, test } from 'vitest';
import { http } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';
import { textOf } from '../support/stream.ts';

/** A hundred clients at once, each with a session of its own. */
const server = inject('server');

test('a hundred clients each get their own output and nobody else’s', { timeout: 120_000 }, async () => {
  const sessions = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      TestSession.open(server.wsUrl, { language: i % 2 ? 'python' : 'javascript', metadata: { i } }),
    ),
  );
  expect(new Set(sessions.map(s => s.id)).size).toBe(100);
  await Promise.all(
    sessions.map(async (session, i) => {
      const python = i % 2 === 1;
      await session.prints(`mine = ${i}`);
      await session.done('write_file', { path: 'mine.txt', content: `file ${i}` });
      const code = python
        ? `for k in range(20): print(f'session {mine} line {k}')`
        : `for (let k = 0; k < 20; k++) console.log('session', mine, 'line', k)`;
      const told = await session.command('execute_code', { code }, { stream: true });
      const all = Array.from({ length: 20 }, (_, k) => `session ${i} line ${k}\n`).join('');
      expect(told.result.stdout).toBe(all);
      expect(textOf(session.client.notifications)).toBe(all);
      expect((await session.shell('cat', ['mine.txt'])).stdout).toBe(`file ${i}`);
      expect(session.client.strays).toEqual([]);
    }),
  );
  await Promise.all(sessions.map(session => session[Symbol.asyncDispose]()));
  const { body } = await http(`${server.url}/api/session`);
  const left = body.sessions.filter((s: { sessionId: string }) =>
    sessions.some(own => own.id === s.sessionId),
  );
  expect(left).toEqual([]);
});

test('a hundred one-shots at once all get through', { timeout: 120_000 }, async () => {
  const ends = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      http(`${server.url}/api/execution?wait=true`, 'POST', { language: 'python', code: `print(${i} * 7)` }),
    ),
  );
  expect(ends.map(end => end.body.stdout)).toEqual(Array.from({ length: 100 }, (_, i) => `${i * 7}\n`));
});
