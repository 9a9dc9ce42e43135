import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { matrix } from '../support/matrix.ts';
import { http, runOnce } from '../support/rest-client.ts';

/** Names and texts that try to be something else. Paths in commands: test/conformance/files.test.ts. */
const server = inject('server');

const BAD_PATHS = [
  '../x',
  'a/../../x',
  '/etc/passwd',
  '/workspace/../etc',
  'a\0b',
  '/proc/1/environ',
  '',
  'x'.repeat(5000),
];
test('no path field of a one-shot takes a path that leads out', async () => {
  for (const path of BAD_PATHS) {
    for (const more of [{ files: [{ path, content: 'x' }] }, { outputFiles: [path] }]) {
      const request = { language: 'python', code: '1', ...more };
      const { status, body } = await http(`${server.url}/api/execution`, 'POST', request);
      expect([status, body.code], JSON.stringify(path).slice(0, 40)).toEqual([400, 'VALIDATION_ERROR']);
      expect(body.message).toMatch(/^(files|outputFiles)\[0\]/);
    }
  }
});

describe.for(await matrix())('a program in $name', ({ language, runtimeType, dialect }) => {
  const python = dialect === 'python';
  const say = (text: string) => (python ? `print(${text}, end='')` : `process.stdout.write(${text})`);

  test('may print what controls terminals, ends lines or is half a letter', async () => {
    const text = '\u001b]0;title\u0007\u001b[2J\u2028\u2029\u0000\r\n\u202e<script>';
    const end = await runOnce(server.url, { language, runtimeType, code: say(JSON.stringify(text)) });
    expect(end).toMatchObject({ outcome: 'ok', stdout: text });
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    expect(await session.prints(say(JSON.stringify(text)))).toBe(text);
    const half = await session.cell(python ? `'\\ud800'` : `'\\ud800' + 'x'`);
    expect(half.success).toBe(true);
    expect(half.result.results).toHaveLength(1);
    const thrown = await session.cell(
      python ? `raise ValueError('\\ud800\\u2028')` : `throw new Error('\\ud800\\u2028')`,
    );
    expect(thrown).toMatchObject({ success: false, result: { error: { message: expect.any(String) } } });
    expect((await session.cell('40 + 2')).result.results).toMatchObject([{ 'text/plain': '42' }]);
  });

  // Nothing looks at them in between, wherever it runs.
  if (runtimeType === 'Docker') return;
  test('is judged by what it does and not by its words', async () => {
    const words = `'sudo rm -rf / ; :(){ :|:& };: ; eval(atob("x")) ; /etc/shadow ; import os; os.system'`;
    const end = await runOnce(server.url, { language, runtimeType, code: say(words) });
    expect(end).toMatchObject({ outcome: 'ok', stdout: words.slice(1, -1) });
  });
});
