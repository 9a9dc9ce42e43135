// biome-ignore-all lint/suspicious/noExplicitAny: tests look into what a kernel sent
import { describe, expect, inject, test } from 'vitest';
import { inShort, JupyterClient } from '../support/jupyter-client.ts';
import { http } from '../support/rest-client.ts';

/** What notebooks do, by raw sockets, with real interpreters. */
const server = inject('server');
const kernels = `${server.url}/jupyter/api/kernels`;

class Notebook implements AsyncDisposable {
  readonly id: string;
  readonly client: JupyterClient;

  private constructor(id: string, client: JupyterClient) {
    this.id = id;
    this.client = client;
  }

  static async open(name: string, options = {}): Promise<Notebook> {
    const { status, body } = await http(kernels, 'POST', { name });
    if (status !== 201) throw new Error(`no kernel: ${status} ${JSON.stringify(body)}`);
    return new Notebook(body.id, await JupyterClient.connect(server.url, body.id, options));
  }

  /** What a cell shows, without what every cell has. */
  async shows(code: string, more: object = {}): Promise<string[]> {
    const all = await this.client.cell(code, more);
    return all.filter(each => !/^(?:status|execute_input|execute_reply)/.test(each));
  }

  post(action: string): Promise<any> {
    return http(`${kernels}/${this.id}/${action}`, 'POST');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await http(`${kernels}/${this.id}`, 'DELETE');
    await this.client.close();
  }
}

const SHOWN = `
from IPython.display import clear_output, display, HTML
print("before")
shown = display("a", display_id="one")
shown.update("b")
print("between")
display(HTML("<b>c</b>"), metadata={"x": 1})
clear_output(wait=True)
print("after")
6 * 7`;

describe('a notebook of Python', () => {
  test('sees its cells’ output, displays and values in their order', async () => {
    await using notebook = await Notebook.open('python3', { binary: true });
    const { client } = notebook;
    expect(await client.cell('x = 20\nx + 1')).toEqual([
      'status busy',
      'execute_input x = 20\nx + 1',
      'execute_result 21',
      'execute_reply ok',
      'status idle',
    ]);
    expect(await notebook.shows(SHOWN)).toEqual([
      'stream stdout "before\\n"',
      "display_data one 'a'",
      "update_display_data one 'b'",
      'stream stdout "between\\n"',
      'display_data <IPython.core.display.HTML object>',
      'clear_output wait true',
      'stream stdout "after\\n"',
      'execute_result 42',
    ]);
    expect(await notebook.shows('display(x, x)\nx;')).toEqual(['display_data 20', 'display_data 20']);
    const failed = await client.answer('execute_request', { code: 'def f():\n    return 1 / 0\nf()' });
    expect(failed).toMatchObject({ status: 'error', ename: 'ZeroDivisionError', execution_count: 4 });
    expect(failed.traceback.slice(1)).toEqual([
      expect.stringMatching(/^ZeroDivisionError +Traceback \(most recent call last\)$/),
      'Cell In[4], line 3\n      1 def f():\n      2     return 1 / 0\n----> 3 f()\n',
      'Cell In[4], line 2, in f()\n      1 def f():\n----> 2     return 1 / 0\n      3 f()\n',
      'ZeroDivisionError: division by zero',
    ]);
    expect(await client.answer('execute_request', { code: '1 +* 2' })).toMatchObject({
      traceback: expect.arrayContaining([expect.stringMatching(/Cell In\[5\], line 1/)]),
    });
    const { language_info } = await client.answer('kernel_info_request');
    expect(language_info.version).toMatch(/^3\.\d+/);
  });

  test('asks its reader, and no more than that', async () => {
    await using notebook = await Notebook.open('python3');
    const { client } = notebook;
    const code = 'import getpass\n[input("name? "), getpass.getpass("word? "), input()]';
    const request = client.send('execute_request', { code, allow_stdin: true });
    for (const [i, value] of ['Ann "A"\nB', 'secret', 'é'].entries()) {
      const asked = () => client.received.filter(({ header }) => header.msg_type === 'input_request');
      await client.until(() => asked().length > i);
      expect(asked()[i].content).toEqual(
        [
          { prompt: 'name? ', password: false },
          { prompt: 'word? ', password: true },
          { prompt: '', password: false },
        ][i],
      );
      client.send('input_reply', { value, status: 'ok' }, 'stdin');
    }
    const caused = (await client.causedBy(request)).map(inShort);
    expect(caused).toContain("execute_result ['Ann \"A\"\\nB', 'secret', 'é']");
    expect(await notebook.shows('input()', { allow_stdin: false })).toEqual([
      'error StdinNotImplementedError',
    ]);
    expect(await notebook.shows('import sys, io\nsys.stdin = io.StringIO("given\\n")\ninput()')).toEqual([
      "execute_result 'given'",
    ]);
  });

  test('completes names, tells of them, and knows whether a cell is whole', async () => {
    await using notebook = await Notebook.open('python3');
    const { client } = notebook;
    await client.cell(
      'def greet(name):\n    "Greets."\n    return name\nclass Box: inner = greet\nlong_name = "é"',
    );
    const complete = (code: string, cursor_pos = code.length) =>
      client.answer('complete_request', { code, cursor_pos });
    expect(await complete('1 + long_n')).toMatchObject({
      matches: ['long_name'],
      cursor_start: 4,
      cursor_end: 10,
    });
    expect(await complete('"🙂" + Box.inn', 13)).toMatchObject({ matches: ['inner'], cursor_start: 10 });
    expect((await complete('missing.x')).matches).toEqual([]);
    const seen = await client.answer('inspect_request', { code: 'greet(1)', cursor_pos: 3, detail_level: 0 });
    expect(seen.data['text/plain']).toMatch(/Signature: greet\(name\)[\s\S]*Greets\./);
    const states = ['1', 'for i in x:', 'for i in x:\n  i', '(', '1 +* 2', '!ls', 'await x'];
    const answers: any[] = [];
    for (const code of states) answers.push(await client.answer('is_complete_request', { code }));
    expect(answers).toEqual([
      { status: 'complete' },
      { status: 'incomplete', indent: '    ' },
      { status: 'incomplete', indent: '  ' },
      { status: 'incomplete', indent: '' },
      { status: 'invalid' },
      { status: 'unknown' },
      { status: 'complete' },
    ]);
    const user_expressions = { twice: 'long_name * 2', none: 'missing' };
    expect(await client.answer('execute_request', { code: '1', user_expressions })).toMatchObject({
      execution_count: 2,
      user_expressions: {
        twice: { status: 'ok', data: { 'text/plain': "'éé'" } },
        none: { status: 'error', ename: 'NameError' },
      },
    });
  });

  test('is interrupted, restarted, and outlives an interpreter that ends', async () => {
    await using notebook = await Notebook.open('python3');
    const { client } = notebook;
    await client.cell('kept = 5');
    const endless = client.send('execute_request', { code: 'print("on")\nwhile True: pass' });
    const aborted = client.send('execute_request', { code: '1' });
    await client.find(({ header }) => header.msg_type === 'stream');
    expect((await notebook.post('interrupt')).status).toBe(204);
    expect((await client.causedBy(endless)).map(inShort)).toContain('error KeyboardInterrupt');
    expect((await client.causedBy(aborted)).map(inShort)).toContain('execute_reply aborted');
    expect(await notebook.shows('kept')).toEqual(['execute_result 5']);
    const waiting = client.send('execute_request', { code: 'input()' });
    await client.find(({ header }) => header.msg_type === 'input_request');
    client.send('interrupt_request', {}, 'control');
    expect((await client.causedBy(waiting)).map(inShort)).toContain('error KeyboardInterrupt');
    expect(await notebook.shows('import os, signal\nos.kill(os.getpid(), signal.SIGKILL)')).toEqual([
      'error signalled',
    ]);
    await client.find(({ content }) => content.execution_state === 'restarting');
    expect(await notebook.shows('display(1)\nkept')).toEqual(['display_data 1', 'error NameError']);
    expect((await notebook.post('restart')).body).toMatchObject({ id: notebook.id });
    expect(await client.answer('execute_request', { code: '1' })).toMatchObject({ execution_count: 1 });
  });
});

describe.each(['javascript', 'typescript'])('a notebook of %s', name => {
  test('runs cells, and is honest about what it can’t know', async () => {
    await using notebook = await Notebook.open(name);
    const { client } = notebook;
    expect(await notebook.shows('const x = 20; console.log("out"); console.error("err"); x + 1')).toEqual(
      expect.arrayContaining(['stream stdout "out\\n"', 'stream stderr "err\\n"', 'execute_result 21']),
    );
    expect(await notebook.shows('throw new TypeError("no")')).toEqual(['error TypeError']);
    expect(await client.answer('is_complete_request', { code: '(' })).toEqual({ status: 'unknown' });
    expect(await client.answer('complete_request', { code: 'x' })).toMatchObject({ matches: [] });
    expect((await notebook.post('restart')).status).toBe(200);
    expect(await notebook.shows('typeof x === "undefined"')).toEqual(['execute_result true']);
  });
});
