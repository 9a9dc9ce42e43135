import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, inject, test } from 'vitest';
import { WebSocket } from 'ws';
import { http } from '../support/rest-client.ts';

/** What clients of Piston send and look at, as seen from piston-client, piston-api-client, piston_rspy and aiopyston. */
const { url, wsUrl } = inject('server');

const execute = async (body: object, at = '/api/v2') => await http(`${url}${at}/execute`, 'POST', body);
const python = (content: string, more = {}) => ({
  language: 'python',
  version: '*',
  files: [{ content }],
  ...more,
});

describe('Piston’s REST', () => {
  test.each(['/api/v2', '/api/v2/piston', '/piston/api/v2'])('is there below %s', async at => {
    const { status, body } = await http(`${url}${at}/runtimes`);
    expect(status).toBe(200);
    expect(body).toContainEqual(
      expect.objectContaining({ language: 'python', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) }),
    );
    expect((await execute(python('print(1)'), at)).body.run).toMatchObject({ stdout: '1\n', code: 0 });
  });

  test('runs what clients send by default', async () => {
    const { status, body } = await execute(
      python(
        'import sys\nprint(sys.argv[1:], flush=True)\nprint("e", file=sys.stderr, flush=True)\nprint(input())',
        {
          files: [
            {
              name: '',
              content:
                'import sys\nprint(sys.argv[1:], flush=True)\nprint("e", file=sys.stderr, flush=True)\nprint(input())',
            },
          ],
          stdin: 'typed',
          args: ['1', '2', '3'],
          run_timeout: 30_000,
          compile_timeout: 10_000,
          run_memory_limit: -1,
          compile_memory_limit: -1,
        },
      ),
    );
    expect(status).toBe(200);
    expect(body).toEqual({
      language: 'python',
      version: expect.any(String),
      run: {
        stdout: "['1', '2', '3']\ntyped\n",
        stderr: 'e\n',
        // The streams are two pipes: each is in order.
        output: expect.stringMatching(/^(?=.*'3'\]\n.*typed\n)(?=.*e\n)/s),
        code: 0,
        signal: null,
        message: null,
        status: null,
        cpu_time: expect.any(Number),
        wall_time: expect.any(Number),
        memory: expect.any(Number),
      },
    });
  });

  test('takes JSON that is said to be text, as one client sends it', async () => {
    const answer = await fetch(`${url}/api/v2/execute`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain;charset=UTF-8' },
      body: JSON.stringify(python('print(1)')),
    });
    expect(((await answer.json()) as { run: object }).run).toMatchObject({ stdout: '1\n' });
  });

  test('gives further files their names, in each encoding', async () => {
    const { body } = await execute({
      ...python(''),
      files: [
        { name: 'b', content: 'AP8=', encoding: 'base64' },
        { name: 'main.py', content: 'print(open("b","rb").read(), open("h","rb").read(), open("t").read())' },
        { name: 'h', content: '00ff', encoding: 'hex' },
        { name: 't', content: 'text' },
      ],
    });
    expect(body.run.stdout).toBe("b'\\x00\\xff' b'\\x00\\xff' text\n");
  });

  test('picks the newest version in the range, by any name', async () => {
    const version = async (language: string, range: string) => {
      const code = language === 'python' ? 'print(1)' : 'console.log(1)';
      return (await execute({ language, version: range, files: [{ content: code }] })).body.version;
    };
    const { body: runtimes } = await http(`${url}/api/v2/runtimes`);
    const of = (runtime: string) =>
      runtimes.find((each: { language: string; runtime: string }) => each.runtime === runtime).version;
    expect(await version('py', '3.x')).toBe(of('python'));
    expect(await version('js', '>=20')).toBe(of('nodejs'));
    expect(await version('node', '*')).toBe(of('nodejs'));
    expect(await version('bun', '*')).toBe(of('bun'));
    expect(await version('deno-ts', '2.x')).toBe(of('deno'));
  });

  test.each([
    [
      'a time limit',
      'while True: pass',
      { run_timeout: 1000 },
      { status: 'TO', signal: 'SIGKILL', code: null },
    ],
    [
      'a CPU time limit',
      'while True: pass',
      { run_cpu_time: 200, run_timeout: 30_000 },
      { status: 'TO', code: null },
    ],
    ['a signal', 'import os; os.kill(os.getpid(), 11)', {}, { status: 'SG', signal: 'SIGSEGV', code: null }],
    [
      'an exit code',
      'exit(7)',
      {},
      { status: 'RE', signal: null, code: 7, message: 'Exited with error status 7' },
    ],
    [
      'memory',
      'x = bytearray(10**9)',
      { run_memory_limit: 64 * 2 ** 20 },
      { status: 'SG', signal: 'SIGKILL' },
    ],
  ])('says how %s ended it', async (_, code, more, run) => {
    expect((await execute(python(code, { run_timeout: 30_000, ...more }))).body.run).toMatchObject(run);
  });

  test.each([
    [{ version: '*', files: [] }, 'language is required as a string'],
    [{ language: 'python', files: [] }, 'version is required as a string'],
    [{ language: 'python', version: '*' }, 'files is required as an array'],
    [{ language: 'python', version: '*', files: [{}] }, 'files[0].content is required as a string'],
    [{ language: 'python', version: '*', files: [null] }, 'files[0].content is required as a string'],
    [{ language: 'python', version: '9', files: [{ content: 'x' }] }, 'python-9 runtime is unknown'],
    [
      { language: 'python', version: 'not a range', files: [{ content: 'x' }] },
      'python-not a range runtime is unknown',
    ],
    [
      { language: 'python', version: '*', files: [{ content: '00', encoding: 'hex' }] },
      'files must include at least one utf8 encoded file',
    ],
    [python('x', { run_timeout: '3' }), 'If specified, run_timeout must be a number'],
    [python('x', { run_timeout: -3 }), 'run_timeout must be non-negative'],
    [python('x', { run_timeout: 1e9 }), /^run_timeout/],
    [python('x', { run_memory_limit: 1e15 }), /^run_memory_limit/],
    [python('x', { run_memory_limit: 1 }), /^run_memory_limit must be at least/],
    [python('x', { compile_memory_limit: 1 }), /^compile_memory_limit below/],
    [python('x', { compile_cpu_time: 1 }), /^compile_cpu_time below/],
    [python('x', { args: [1] }), 'args must be an array of strings'],
    [python('x', { files: [{ content: 'x' }, { name: '../up', content: '' }] }), /^files\[1\]/],
    [[], 'language is required as a string'],
  ])('refuses %j', async (body, message) => {
    const answer = await execute(body);
    expect(answer.status).toBe(400);
    expect(Object.keys(answer.body)).toEqual(['message']);
    expect(answer.body.message).toMatch(
      typeof message === 'string' ? new RegExp(`^${escaped(message)}$`) : message,
    );
  });

  test('answers in its own shape where nothing is, and to what is no JSON', async () => {
    expect(await http(`${url}/api/v2/nothing`)).toMatchObject({
      status: 404,
      body: { message: 'Not Found' },
    });
    const post = (type: string, body: string) =>
      fetch(`${url}/api/v2/execute`, { method: 'POST', headers: { 'content-type': type }, body });
    expect((await post('application/xml', '<a/>')).status).toBe(415);
    const broken = await post('application/json', '{');
    expect([broken.status, Object.keys((await broken.json()) as object)]).toEqual([400, ['message']]);
  });
});

describe('Piston’s WebSocket', () => {
  test('tells what happens, takes input and signals, and closes with its own code', async () => {
    const { socket, messages, closed } = await connect();
    const code = 'print(input(), flush=True)\nwhile True: input()';
    socket.send(JSON.stringify({ type: 'init', ...python(code, { stdin: 'ignored', run_timeout: 60_000 }) }));
    await expect.poll(() => messages.at(-1), { timeout: 60_000 }).toEqual({ type: 'stage', stage: 'run' });
    socket.send(JSON.stringify({ type: 'data', stream: 'stdin', data: 'typed\n' }));
    await expect.poll(() => messages.at(-1)).toEqual({ type: 'data', stream: 'stdout', data: 'typed\n' });
    socket.send(JSON.stringify({ type: 'signal', signal: 'SIGTERM' }));
    expect(await closed).toBe(4999);
    expect(messages[0]).toEqual({ type: 'runtime', language: 'python', version: expect.any(String) });
    expect(messages.at(-1)).toEqual({ type: 'exit', stage: 'run', code: null, signal: 'SIGTERM' });
  });

  test.each([
    [4000, ['init', 'init']],
    [4001, []],
    [4002, ['bad']],
    [4003, ['input']],
    [4004, ['init', 'output']],
    [4005, ['init', 'signal']],
  ])('closes with %d after %j', async (code, sent) => {
    const { socket, messages, closed } = await connect();
    const WORDS: Record<string, object> = {
      init: { type: 'init', ...python('import time; time.sleep(60)', { run_timeout: 60_000 }) },
      bad: { type: 'init', ...python('x', { language: 'nothing' }) },
      input: { type: 'data', stream: 'stdin', data: '' },
      output: { type: 'data', stream: 'stdout', data: '' },
      signal: { type: 'signal', signal: 'nothing' },
    };
    for (const word of sent) {
      if (word !== sent[0] && word !== 'init')
        await expect.poll(() => messages.at(-1), { timeout: 60_000 }).toMatchObject({ type: 'stage' });
      socket.send(JSON.stringify(WORDS[word]));
    }
    expect(await closed).toBe(code);
    if (code === 4002) expect(messages).toEqual([{ type: 'error', message: 'nothing-* runtime is unknown' }]);
  });

  test('ends its program when it is closed', async () => {
    const { socket, messages } = await connect();
    // What others run meanwhile is not counted.
    const sleep = `sleep ${60 + Math.random()}`;
    const code = `import subprocess\nprint(1, flush=True)\nsubprocess.run('${sleep}'.split())`;
    socket.send(JSON.stringify({ type: 'init', ...python(code, { run_timeout: 60_000 }) }));
    await expect.poll(() => messages.at(-1), { timeout: 60_000 }).toMatchObject({ type: 'data' });
    await expect.poll(() => isRunning(sleep), { timeout: 60_000 }).toBe(true);
    socket.terminate();
    await expect.poll(() => isRunning(sleep), { timeout: 50_000 }).toBe(false);
  });
});

/** Whether any process of the machine has this command line. */
function isRunning(command: string): boolean {
  return readdirSync('/proc').some(name => {
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8') === `${command.replaceAll(' ', '\0')}\0`;
    } catch {
      return false;
    }
  });
}

async function connect() {
  const socket = new WebSocket(`${wsUrl.replace(/\/ws\/.*/, '')}/api/v2/connect`);
  const messages: Record<string, unknown>[] = [];
  socket.on('message', data => messages.push(JSON.parse(String(data))));
  const closed = once(socket, 'close').then(([code]) => code as number);
  await once(socket, 'open');
  return { socket, messages, closed };
}

const escaped = (text: string) => text.replace(/[[\](){}.*+?^$|\\]/g, '\\$&');
