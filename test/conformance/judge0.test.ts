import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { http } from '../support/rest-client.ts';

/** What clients of Judge0 send and look at, over real sandboxes; as seen from its official SDK, judge0 of PyPI. */
const { url } = inject('server');
const judge0 = `${url}/judge0`;
const base64 = (text: string) => Buffer.from(text).toString('base64');
const { body: languages } = await http(`${judge0}/languages`);
const ids: number[] = languages.map(({ id }: { id: number }) => id);

const run = async (language_id: number, source: string, more: object = {}) => {
  const body = { language_id, ...(source && { source_code: base64(source) }), ...more };
  const path = `${judge0}/submissions?base64_encoded=true&wait=true&fields=*`;
  const answer = await http(path, 'POST', body);
  expect([answer.status, answer.body]).toEqual([201, expect.objectContaining({ language_id })]);
  const text = (field: string) =>
    answer.body[field] && Buffer.from(answer.body[field], 'base64').toString('utf8');
  return { ...answer.body, stdout: text('stdout'), stderr: text('stderr'), message: text('message') };
};

const SUMS: Readonly<Record<number, string>> = {
  46: 'read a b; echo $((a + b)) "$1"',
  51: 'var n = Console.ReadLine().Split(); Console.WriteLine($"{int.Parse(n[0]) + int.Parse(n[1])} {args[0]}");',
  60: 'package main\nimport ("fmt"; "os")\nfunc main() { var a, b int; fmt.Scan(&a, &b); fmt.Println(a+b, os.Args[1]) }',
  63: 'const [a, b] = require("fs").readFileSync(0, "utf8").split(" "); console.log(+a + +b, process.argv[2])',
  71: 'import sys; print(sum(map(int, input().split())), sys.argv[1])',
  74: 'import { readFileSync } from "node:fs"; const n: string[] = readFileSync(0, "utf8").split(" "); console.log(+n[0]! + +n[1]!, process.argv[2])',
};

describe('Judge0', () => {
  test.each(
    Object.keys(SUMS)
      .map(Number)
      .filter(id => ids.includes(id)),
  )('runs a program of its language %i and compares what it prints', async id => {
    const more = {
      stdin: base64('1 2'),
      expected_output: base64('3 x y \n\n'),
      command_line_arguments: '"x y"',
      cpu_time_limit: 60,
      wall_time_limit: 60,
    };
    expect(await run(id, SUMS[id]!, more)).toMatchObject({
      stdout: '3 x y\n',
      stderr: null,
      status: { id: 3, description: 'Accepted' },
      exit_code: 0,
      time: expect.stringMatching(/^\d+\.\d{3}$/),
      memory: expect.any(Number),
    });
  });

  test.each([
    ['a wrong answer', 'print(2)', { expected_output: base64('3') }, 4, null],
    [
      'a time limit',
      'while True: pass',
      { cpu_time_limit: 0.3, cpu_extra_time: 0.2 },
      5,
      'Time limit exceeded',
    ],
    [
      'time that was only lent',
      'import time\nwhile time.process_time() < 0.4: pass',
      { cpu_time_limit: 0.2 },
      5,
      'Time limit exceeded',
    ],
    [
      'a sleep',
      'import time; time.sleep(60)',
      { wall_time_limit: 0.5 },
      5,
      'Time limit exceeded (wall clock)',
    ],
    ['a segmentation fault', 'import os; os.kill(os.getpid(), 11)', {}, 7, 'Caught fatal signal 11'],
    ['an abort', 'import os; os.abort()', {}, 10, 'Caught fatal signal 6'],
    ['an exit code', 'exit(3)', {}, 11, 'Exited with error status 3'],
    ['memory', 'x = bytearray(10**9)', { memory_limit: 65_536 }, 12, 'Memory limit exceeded (memory_limit)'],
  ])('tells %s', async (_, source, more, id, message) => {
    expect(await run(71, source, more)).toMatchObject({ status: { id }, message });
  });

  test.runIf(ids.includes(60))(
    'tells a program that does not compile, and what the compiler said',
    async () => {
      const failed = await run(60, 'package main\nfunc main() { nothing() }');
      expect(failed).toMatchObject({
        status: { id: 6 },
        stdout: null,
        stderr: null,
        time: null,
        memory: null,
      });
      expect(Buffer.from(failed.compile_output, 'base64').toString()).toContain('nothing');
    },
  );

  test('unpacks an archive beside a program, and runs one of its scripts', async () => {
    const additional_files = (
      await zipped({ 'greeting.py': 'words = "hi"', '../up': '', run: 'cat; ls' })
    ).trim();
    const more = { additional_files, stdin: base64('typed ') };
    expect((await run(71, 'import greeting; print(greeting.words, input())', more)).stdout).toBe(
      'hi typed \n',
    );
    expect((await run(46, 'python3 -B greeting.py; cat', more)).stdout).toBe('typed ');
    expect((await run(89, '', more)).stdout).toBe('typed greeting.py\nrun\nup\n');
  });

  test('compiles an archive that has a script for it', async () => {
    const run89 = async (files: Record<string, string>) =>
      run(89, '', { additional_files: (await zipped(files)).trim() });
    expect((await run89({ compile: 'echo made > out', run: 'cat out' })).stdout).toBe('made\n');
    const failed = await run89({ compile: 'echo why; exit 2', run: 'echo ran' });
    expect(failed).toMatchObject({ status: { id: 6 }, stdout: null });
    expect(Buffer.from(failed.compile_output, 'base64').toString()).toBe('why\n');
  });

  test('ends an archive that unpacks to more than there is room for', async () => {
    const source = `import io, base64, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as z:
    with z.open('zeros', 'w', force_zip64=True) as f:
        for _ in range(64): f.write(bytes(2 ** 20))
print(base64.b64encode(out.getvalue()).decode())`;
    const additional_files = (
      await run(71, source, { cpu_time_limit: 60, wall_time_limit: 60 })
    ).stdout.trim();
    const end = await run(71, 'print(1)', { additional_files, memory_limit: 65_536 });
    expect(end.status.id).toBeGreaterThan(4);
    expect(end.stdout).toBeNull();
  });

  test('answers what its document shows as that says', async () => {
    const text = readFileSync(join(import.meta.dirname, '../../routes/judge0/protocol.md'), 'utf8');
    const body = /-d '(\{.*?\})'/s.exec(text)![1]!;
    const { status, body: answer } = await http(`${judge0}/submissions?wait=true`, 'POST', body);
    expect([status, answer.stdout, answer.status.description]).toEqual([201, '42\n', 'Accepted']);
  });

  test('polls a batch by its tokens, as the SDK does', async () => {
    const one = (expected: string) => ({
      language_id: 71,
      source_code: base64('print(1)'),
      expected_output: base64(expected),
    });
    const { status, body } = await http(`${judge0}/submissions/batch?base64_encoded=true`, 'POST', {
      submissions: [one('1'), one('2')],
    });
    expect(status).toBe(201);
    const tokens = body.map(({ token }: { token: string }) => token).join('%2C');
    const poll = async () =>
      (
        await http(`${judge0}/submissions/batch?base64_encoded=true&tokens=${tokens}&fields=%2A`)
      ).body.submissions.map((each: { status: { id: number } }) => each.status.id);
    await expect.poll(poll, { timeout: 30_000 }).toEqual([3, 4]);
  });
});

/** A zip archive as Python writes it, in base64. */
async function zipped(files: Record<string, string>): Promise<string> {
  const source = `import io, json, sys, base64, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, 'w') as z:
    for name, text in json.load(sys.stdin).items(): z.writestr(name, text)
print(base64.b64encode(out.getvalue()).decode())`;
  return (await run(71, source, { stdin: base64(JSON.stringify(files)) })).stdout;
}
