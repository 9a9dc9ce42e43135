import { describe, expect, inject, test } from 'vitest';
import { matrix, runtimes, sandboxes } from '../support/matrix.ts';
import * as programs from '../support/programs.ts';
import { executionUntil, http, runOnce } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { SERVER_SECRET } from '../support/start-server.ts';

/** What goes into a one-shot and what comes back, through both doors, for every language on every runtime. */
const server = inject('server');
const cells = await matrix();

test('Python, JavaScript and TypeScript can all be run here', () => {
  const names = new Set(cells.map(cell => cell.language));
  expect([...names]).toEqual(expect.arrayContaining(['python', 'javascript', 'typescript']));
});

/** One language for each runtime. JavaScript in a container is run by the interpreter that runs TypeScript there, which is tried below. */
describe.for(await runtimes())('a one-shot of $name', ({ language, runtimeType, dialect }) => {
  const base = { language, runtimeType };
  const run = (program: typeof programs.HELLO, more = {}) =>
    runOnce(server.url, { ...base, code: program[dialect], ...more });

  test('is taken at once and can be asked for until it has ended, and meets end of file where no input came', async () => {
    const request = { ...base, code: programs.ECHO_INPUT[dialect] };
    const taken = await http(`${server.url}/api/execution`, 'POST', request);
    expect(taken).toMatchObject({ status: 200, body: { status: 'pending' } });
    expect(Object.keys(taken.body).sort()).toEqual(['createdAt', 'executionId', 'status']);
    const end = await executionUntil(server.url, taken.body.executionId, e => e.completedAt !== null);
    expect(end).toMatchObject({
      status: 'completed',
      outcome: 'ok',
      stdout: '[]',
      createdAt: taken.body.createdAt,
    });
  });

  test('reads a megabyte of standard input', async () => {
    const stdin = programs.digitsText(1_000_000);
    expect((await run(programs.ECHO_INPUT, { stdin })).stdout === `[${stdin}]`).toBe(true);
  });

  test('gets its input to the last byte, its arguments unharmed and its own environment, with nothing of the server', async () => {
    const stdin = 'first line\r\n\ttab é 漢字 😀\0 no newline at the end';
    const args = [
      'a b',
      `it's "quoted"`,
      '$(id)',
      '`id`',
      '',
      '*',
      '-v',
      '--help',
      '\\',
      '\n',
      'é',
      '--',
      '-c',
    ];
    const environment = { GREETING: 'a "b" $c\n é', EMPTY: '', LANG: 'de_DE.UTF-8' };
    const end = await run(programs.SHOW_GIVEN, { stdin, args, config: { environment } });
    const seen = JSON.parse(end.stdout);
    expect(seen).toMatchObject({ input: stdin, args });
    expect(seen.environment).toMatchObject({ ...environment, TZ: 'UTC', HOME: '/home/sandbox' });
    // Python sets LC_CTYPE for itself when the machine lacks the locale that LANG names (PEP 538).
    const allowed = [
      'EMPTY',
      'GREETING',
      'NO_COLOR',
      'HOME',
      'LANG',
      'PATH',
      'TZ',
      'LC_CTYPE',
      // Without a network they would try again for a minute.
      'npm_config_fetch_retries',
      'PIP_RETRIES',
      // Its container's user has no name in the image.
      ...(runtimeType === 'Docker' ? ['USER', 'LOGNAME'] : []),
    ];
    expect(allowed).toEqual(expect.arrayContaining(Object.keys(seen.environment)));
    expect(end.stdout).not.toContain(SERVER_SECRET);
  });

  test('finds its files and gives back the ones asked for', async () => {
    const code = {
      python: `
import os
text = open('data/in.txt').read()
raw = open('/workspace/raw.bin', 'rb').read()
os.makedirs('out')
open('out/sum.txt', 'w').write(str(sum(map(int, text.split()))) + ' ' + str(list(raw)))`,
      javascript: `
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
const text = readFileSync('data/in.txt', 'utf8');
const raw = readFileSync('/workspace/raw.bin');
mkdirSync('out');
const sum = text.split(' ').reduce((a, b) => a + Number(b), 0);
writeFileSync('out/sum.txt', sum + ' [' + [...raw].join(', ') + ']');`,
    };
    const end = await run(code, {
      files: [
        { path: 'data/in.txt', content: '1 2 3' },
        { path: 'raw.bin', content: 'AP8=', encoding: 'base64' },
      ],
      outputFiles: ['out/sum.txt', 'maybe.txt?', 'missing.txt'],
    });
    expect(end).toMatchObject({
      outcome: 'ok',
      files: [{ path: 'out/sum.txt', content: '6 [0, 255]', encoding: 'utf8' }],
      missingFiles: ['missing.txt'],
    });
  });

  test('starts in /workspace with nothing of others in it, can write to /tmp and its home, and is the same over RPC', async () => {
    const code = {
      python: `
import os
print(os.getcwd(), [f for f in os.listdir('/tmp')], len(os.listdir('.')))
for d in ('/tmp', '/workspace', os.environ['HOME']): open(d + '/x', 'w').write('x')
try: open('/usr/x', 'w')
except OSError as e: print('refused')`,
      javascript: `
import { readdirSync, writeFileSync } from 'node:fs';
console.log(process.cwd(), '[' + readdirSync('/tmp') + ']', readdirSync('.').length);
const home = 'Deno' in globalThis ? [] : [process.env.HOME];
for (const d of ['/tmp', '/workspace', ...home]) writeFileSync(d + '/x', 'x');
try { writeFileSync('/usr/x', 'x'); } catch { console.log('refused'); }`,
    };
    const client = await RpcClient.connect(server.wsUrl);
    const end = await client.call('execution.run', { ...base, code: code[dialect] });
    expect(end).toMatchObject({ status: 'completed', outcome: 'ok', exitCode: 0, runtimeType });
    expect(end.stdout).toBe('/workspace [] 1\nrefused\n');
    const { body } = await http(`${server.url}/api/execution/${end.executionId}`);
    expect(body).toEqual(end);
    expect(await client.call('execution.status', { executionId: end.executionId })).toEqual(end);
    await client.close();
  });
});

/** What JavaScript's interpreters do is proved above: it is to reach TypeScript's programs too. */
test.for(cells.filter(({ language }) => language === 'typescript'))(
  'a one-shot of $name gets its input, arguments, environment and files',
  async ({ language, runtimeType }) => {
    const end = await runOnce(server.url, {
      language,
      runtimeType,
      code: `${programs.SHOW_GIVEN.javascript}
import { copyFileSync } from 'node:fs';
const names: readonly string[] = ['in.txt', 'out.txt'];
copyFileSync(names[0]!, names[1]!);`,
      stdin: 'é\0 end',
      args: ['a b', '--help', '-'],
      config: { environment: { GREETING: 'hi é' } },
      files: [{ path: 'in.txt', content: 'text' }],
      outputFiles: ['out.txt', 'maybe.txt?', 'missing.txt'],
    });
    expect(end).toMatchObject({
      status: 'completed',
      outcome: 'ok',
      runtimeType,
      files: [{ path: 'out.txt', content: 'text', encoding: 'utf8' }],
      missingFiles: ['missing.txt'],
    });
    expect(JSON.parse(end.stdout)).toMatchObject({
      input: 'é\0 end',
      args: ['a b', '--help', '-'],
      environment: { GREETING: 'hi é' },
    });
  },
);

/** Hundreds of megabytes pass for it, so one sandbox stands for all: files of each come alike (file-transfers.test.ts). */
describe.for((await sandboxes()).slice(0, 1))('a one-shot in $name', ({ language, runtimeType, dialect }) => {
  test('brings its files as far as they fit in its result, and links to the others', async () => {
    const megabytes = { one: 20, two: 20, three: 5, large: 33 };
    const sizes = JSON.stringify(megabytes);
    const code = {
      python: `for name, size in ${sizes}.items(): open(name, 'wb').write(b'x' * size * 2**20)`,
      javascript: `
import { writeFileSync } from 'node:fs';
for (const [name, size] of Object.entries(${sizes})) writeFileSync(name, 'x'.repeat(size * 2 ** 20));`,
    };
    const end = await runOnce(server.url, {
      language,
      runtimeType,
      code: code[dialect],
      outputFiles: ['large', 'one', 'two', 'three'],
    });
    expect(end).toMatchObject({ outcome: 'ok', missingFiles: [], usage: { limitsHit: [] } });
    const [large, one, two, three] = end.files;
    const base = `/api/execution/${end.executionId}/files`;
    expect(large).toEqual({ path: 'large', url: `${base}/0`, size: 33 * 2 ** 20 });
    expect(two).toEqual({ path: 'two', url: `${base}/2`, size: 20 * 2 ** 20 });
    expect([one.content.length, three.content.length]).toEqual([20 * 2 ** 20, 5 * 2 ** 20]);
    const fetched = Buffer.from(await (await fetch(server.url + two.url)).arrayBuffer());
    expect(fetched.equals(Buffer.alloc(two.size, 'x'))).toBe(true);
  });
});

test('a name, an alias and another case of runtimeType mean the same', async () => {
  for (const language of ['python', 'py', 'python3']) {
    const end = await runOnce(server.url, { language, code: programs.HELLO.python, runtimeType: 'PYTHON' });
    expect(end).toMatchObject({ language: 'python', runtimeType: 'Python', stdout: 'hello\n' });
  }
  const end = await runOnce(server.url, { language: 'bun', code: 'console.log(Bun.version.length > 0)' });
  expect(end).toMatchObject({ runtimeType: 'Bun', stdout: 'true\n' });
});

test('TypeScript with types, enums and imports runs', async () => {
  const code = `
import { join } from 'node:path';
enum Colour { Red = 3, Green }
interface Point { x: number }
const point: Point = { x: Colour.Green };
console.log(join('a', 'b'), point.x satisfies number);`;
  const end = await runOnce(server.url, { language: 'typescript', code });
  expect(end).toMatchObject({ outcome: 'ok', stdout: 'a/b 4\n' });
});

test('the fields of config may stand beside the others in execution.run, under older names too', async () => {
  const client = await RpcClient.connect(server.wsUrl);
  const request = {
    language: 'python',
    code: 'import time; time.sleep(60)',
    timeout: 0.5,
    memory_limit: 128,
  };
  expect(await client.call('execution.run', request)).toMatchObject({ outcome: 'wall_timeout' });
  await client.close();
});

test('the contract’s example request is taken as it stands', async () => {
  const end = await runOnce(server.url, {
    code: `print('hi')`,
    language: 'python',
    config: { timeout: 5, memoryLimit: 256, cpuLimit: 1 },
    stdin: '',
    args: ['-v'],
    files: [{ path: 'data/in.txt', content: '1 2 3', encoding: 'utf8' }],
    outputFiles: ['maybe.txt?'],
    runtimePreference: 'Speed',
  });
  expect(end).toMatchObject({ status: 'completed', stdout: 'hi\n', files: [], missingFiles: [] });
});
