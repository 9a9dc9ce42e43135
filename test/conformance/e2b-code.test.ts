import { Sandbox } from '@e2b/code-interpreter';
import { TimeoutError } from 'e2b';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { e2bAt, failure } from '../support/e2b.ts';

/** Code contexts of sandboxes, as E2B's own client for them sees them. */
const { url } = inject('server');
const at = e2bAt(url);

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await Sandbox.create({ ...at, envs: { GREETING: 'hello' } });
});
afterAll(() => sandbox.kill());

describe('code', () => {
  test('keeps its state, prints, and has a value', async () => {
    await sandbox.runCode('x = 20');
    const printed: string[] = [];
    const { text, logs, results, error, executionCount } = await sandbox.runCode(
      'import sys\nprint("grüße 🙂")\nprint("oops", file=sys.stderr)\nx * 2 + 2',
      { onStdout: ({ line }) => void printed.push(line) },
    );
    expect({ text, logs, error, executionCount }).toEqual({
      text: '42',
      logs: { stdout: ['grüße 🙂\n'], stderr: ['oops\n'] },
      error: undefined,
      executionCount: 2,
    });
    expect(printed).toEqual(['grüße 🙂\n']);
    expect(results).toHaveLength(1);
  });

  test('has results that it displays, and one that is its value', async () => {
    const { results, text } = await sandbox.runCode(`
class Table:
    def _repr_html_(self): return '<b>1</b>'
    def _repr_png_(self): return b'\\x89PNG'
    def _repr_json_(self): return {'a': [1]}
    def __repr__(self): return 'Table'
display(Table())
'a value'`);
    expect(results.map(({ isMainResult }) => isMainResult)).toEqual([false, true]);
    expect(results[0]).toMatchObject({
      text: 'Table',
      html: '<b>1</b>',
      png: 'iVBORw==',
      json: { a: [1] },
    });
    expect(text).toBe('a value');
    expect((await sandbox.runCode('display(1); None')).text).toBeUndefined();
  });

  test('has charts, tables and JSON as data', async () => {
    const { results } = await sandbox.runCode(`
class Chart:
    def _repr_e2b_chart_(self):
        return {'type': 'bar', 'title': 'T', 'elements': [{'label': 'a', 'group': 'g', 'value': 1}]}
    def _repr_e2b_data_(self): return {'a': [1]}
display(Chart())
{'b': [2]}`);
    expect(results).toMatchObject([
      {
        chart: { type: 'bar', title: 'T', elements: [{ label: 'a', group: 'g', value: 1 }] },
        data: { a: [1] },
      },
      { json: { b: [2] }, isMainResult: true },
    ]);
  });

  test('that fails says how, and state goes on', async () => {
    const { error } = await sandbox.runCode('kept = 1\n1 / 0');
    expect(error).toMatchObject({ name: 'ZeroDivisionError', value: 'division by zero' });
    expect(error?.traceback).toContain('line 2');
    expect((await sandbox.runCode('kept')).text).toBe('1');
  });

  test('has the sandbox’s variables, and its own for as long as it runs', async () => {
    const read = 'import os; [os.environ.get(n) for n in ("GREETING", "OWN", "HOME")]';
    const envs = { OWN: 'mine', GREETING: 'changed' };
    expect((await sandbox.runCode(read, { envs })).text).toBe("['changed', 'mine', '/home/user']");
    expect((await sandbox.runCode(read)).text).toBe("['hello', None, '/home/user']");
    const javascript = '[process.env.GREETING, process.env.OWN]';
    const language = 'javascript';
    expect((await sandbox.runCode(javascript, { language, envs })).text).toMatch(/changed.*mine/s);
    expect((await sandbox.runCode(javascript, { language })).text).toMatch(/hello.*undefined/s);
  });

  test('sees the sandbox’s files and is at home', async () => {
    await sandbox.files.write('seen.txt', 'written');
    expect((await sandbox.runCode('import os; (os.getcwd(), open("seen.txt").read())')).text).toBe(
      "('/home/user', 'written')",
    );
  });

  test.each([
    ['javascript', 'const n = 20; console.log(process.cwd()); n + 1', 'n * 2', '40'],
    ['typescript', 'const m: number = 21; console.log(process.cwd()); m', 'm * 2', '42'],
  ])('may be in %s', async (language, first, second, value) => {
    expect((await sandbox.runCode(first, { language })).logs.stdout).toEqual(['/home/user\n']);
    expect((await sandbox.runCode(second, { language })).text).toBe(value);
  });

  test('may be of a shell, which keeps nothing but files', async () => {
    const { logs } = await sandbox.runCode('echo $GREETING; pwd; echo oops >&2', { language: 'bash' });
    expect([logs.stdout.join(''), logs.stderr]).toEqual(['hello\n/home/user\n', ['oops\n']]);
    expect((await failure(sandbox.runCode('1', { language: 'r' }))).message).toMatch(/501/);
  });

  test('that its client gives up is interrupted, and its context goes on', async () => {
    await sandbox.runCode('before = 1');
    const late = sandbox.runCode('import time\nwhile True: time.sleep(0.01)', { timeoutMs: 500 });
    expect(await failure(late)).toBeInstanceOf(TimeoutError);
    expect((await sandbox.runCode('before')).text).toBe('1');
  });

  test('whose sandbox is killed tells its client', async () => {
    const other = await Sandbox.create(at);
    const running = other.runCode('print(1)\nwhile True: pass', { onStdout: () => void other.kill() });
    expect(await failure(running)).toBeInstanceOf(TimeoutError);
    expect(await failure(other.runCode('1'))).toBeInstanceOf(TimeoutError);
  });
});

describe('a context', () => {
  test('is an interpreter of its own in its directory, which starts afresh and is removed', async () => {
    await sandbox.files.makeDir('project');
    const context = await sandbox.createCodeContext({ cwd: '/home/user/project', language: 'python' });
    expect(context).toMatchObject({ language: 'python', cwd: '/home/user/project' });
    await sandbox.runCode('own = 1', { context });
    expect((await sandbox.runCode('import os; (own, os.getcwd())', { context })).text).toBe(
      "(1, '/home/user/project')",
    );
    expect((await sandbox.runCode('own')).error?.name).toBe('NameError');
    await sandbox.restartCodeContext(context);
    const again = await sandbox.runCode('own', { context });
    expect([again.error?.name, again.executionCount]).toEqual(['NameError', 1]);
    await sandbox.removeCodeContext(context);
    expect((await sandbox.listCodeContexts()).map(({ id }) => id)).not.toContain(context.id);
    expect((await failure(sandbox.runCode('1', { context }))).message).toMatch(/not found/);
  });

  test('of JavaScript has its directory too', async () => {
    const context = await sandbox.createCodeContext({ cwd: '/tmp', language: 'js' });
    expect((await sandbox.runCode('process.cwd()', { context })).text).toBe('/tmp');
    expect(await failure(sandbox.createCodeContext({ cwd: '/nowhere' }))).toMatchObject({
      message: expect.stringMatching(/not/i),
    });
  });

  test('of each language that is there at first is listed', async () => {
    const languages = (await sandbox.listCodeContexts()).map(({ language }) => language);
    expect(languages).toEqual(expect.arrayContaining(['python', 'javascript']));
  });
});
