import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { runtimes } from '../support/matrix.ts';

/** Errors of code that a cell makes of text: told as those of the cell itself. */
const server = inject('server');
const cells = (await runtimes()).filter(({ dialect }) => dialect === 'javascript');
const language = 'javascript';

describe.for(cells)('a cell of JavaScript on $runtimeType', ({ runtimeType }) => {
  test('fails in what it evaluates with the program’s frames alone', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    for (const code of ['eval("nosuch")', 'new Function("return nosuch")()']) {
      const { result } = await session.cell(code);
      const [head, ...frames] = result.error.traceback.trim().split('\n');
      expect(head).toMatch(/^ReferenceError: .*nosuch/);
      for (const frame of frames)
        expect(frame).toMatch(/^ +at .*(?:<anonymous>:\d+:\d+|<cell-\d+>:1:\d+)\)?$/);
    }
  });

  test('fails in another realm with the error’s own name and message', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const inner = `require('node:vm').runInNewContext("new RangeError('inner')")`;
    const { result } = await session.cell(`throw ${inner}`);
    expect(result.error).toMatchObject({ name: 'RangeError', message: 'inner' });
    const outer = await session.cell(`throw new Error('outer', { cause: ${inner} })`);
    expect(outer.result.error.traceback).toContain('Caused by: RangeError: inner');
  });
});
