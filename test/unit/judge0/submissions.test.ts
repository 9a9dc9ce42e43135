import { afterAll, expect, test } from 'vitest';
import { byName, ends, prints, runsOn } from '../support/scripts.ts';
import { openJudge0, python } from './client.ts';

const judge0 = await openJudge0(prints('1\n'));
afterAll(() => judge0.app.close());
const { ask, run, runtime } = judge0;

test('a result that is waited for has what Judge0 answers by default', async () => {
  expect(await run()).toEqual({
    stdout: '1\n',
    time: '0.000',
    memory: 977,
    stderr: null,
    token: expect.stringMatching(/^[0-9a-f-]{36}$/),
    compile_output: null,
    message: null,
    status: { id: 3, description: 'Accepted' },
  });
});

test('a token brings the result, as often as it is asked', async () => {
  const { status, body } = await ask('/submissions', 'POST', python);
  expect([status, Object.keys(body)]).toEqual([201, ['token']]);
  const get = async () => (await ask(`/submissions/${body.token}?fields=status_id,stdout`)).body;
  await expect.poll(get).toEqual({ status_id: 3, stdout: '1\n' });
  expect(await get()).toEqual({ status_id: 3, stdout: '1\n' });
});

test('base64 goes both ways, in lines as Ruby writes them', async () => {
  runtime.script = prints('x'.repeat(100));
  const encoded = Buffer.from('print(1)').toString('base64');
  const { stdout } = await run({ source_code: encoded }, '&base64_encoded=true');
  expect(stdout).toMatch(/^.{60}\n.{60}\n.{16}\n$/);
  expect(Buffer.from(stdout, 'base64').toString()).toBe('x'.repeat(100));
  expect(runtime.sandboxes.at(-1)?.files.text('/workspace/main.py')).toBe('print(1)');
  runtime.script = prints('1\n');
});

test('every attribute comes with fields=*, but for what the client itself sent', async () => {
  const all = await run({ expected_output: '1', cpu_time_limit: '1.5', memory_limit: 64_000 }, '&fields=*');
  expect(all).toMatchObject({
    language_id: 71,
    language: { id: 71, name: 'Python (1.0)' },
    status_id: 3,
    cpu_time_limit: '1.5',
    wall_time_limit: '10.0',
    memory_limit: 64_000,
    number_of_runs: 1,
    exit_code: 0,
    exit_signal: null,
    callback_url: null,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
  });
  for (const own of ['source_code', 'stdin', 'expected_output', 'additional_files'])
    expect(all).not.toHaveProperty(own);
});

test('limits are those of the request', async () => {
  await run({ memory_limit: 65_536, cpu_time_limit: 2, wall_time_limit: 3 });
  expect(runtime.specs.at(-1)?.limits.memoryBytes).toBe(64 * 2 ** 20);
});

test.each([
  ['what is expected', '1\n', '1', 3],
  ['blanks at the ends of lines', '1 \n\n', '1', 3],
  ['something else', '2\n', '1', 4],
])('%s is judged', async (_, printed, expected_output, id) => {
  runtime.script = prints(printed);
  expect((await run({ expected_output })).status.id).toBe(id);
  runtime.script = prints('1\n');
});

test.each([
  [{ code: 3 }, 11, 'Exited with error status 3', 3, null],
  [{ signal: 'SIGSEGV' as const }, 7, 'Caught fatal signal 11', null, 11],
  [{ signal: 'SIGABRT' as const }, 10, 'Caught fatal signal 6', null, 6],
  [{ signal: 'SIGFPE' as const }, 9, 'Caught fatal signal 8', null, 8],
  [{ signal: 'SIGTERM' as const }, 12, 'Caught fatal signal 15', null, 15],
])('a program that ends with %j has the status %i', async (end, id, message, exit_code, exit_signal) => {
  runtime.script = ends(end);
  const result = await run({}, '&fields=status_id,message,exit_code,exit_signal');
  expect(result).toEqual({ status_id: id, message, exit_code, exit_signal });
  runtime.script = prints('1\n');
});

test('a program that goes on past its time is over its limit', async () => {
  runtime.script = runsOn;
  expect(await run({ wall_time_limit: 0.05 })).toMatchObject({
    status: { id: 5 },
    message: 'Time limit exceeded (wall clock)',
  });
  runtime.script = prints('1\n');
});

test('one that waits or runs says so', async () => {
  runtime.script = runsOn;
  const { body } = await ask('/submissions', 'POST', python);
  const get = async () => (await ask(`/submissions/${body.token}`)).body;
  await expect.poll(async () => (await get()).status.id).toBe(2);
  expect(await get()).toMatchObject({ stdout: null, stderr: null, time: null, token: body.token });
  await judge0.service.executions.cancel(body.token, judge0.call());
  expect(await get()).toMatchObject({ status: { id: 13 }, message: 'Cancelled (cancelled)' });
  runtime.script = prints('1\n');
});

test('bytes that are no text need base64', async () => {
  runtime.script = (_, { print }) => print(Buffer.from([0xff])).then(() => ({}));
  const error =
    'some attributes for this submission cannot be converted to UTF-8, use base64_encoded=true query parameter';
  const { token, ...rest } = await run();
  expect(rest).toEqual({ error });
  expect(await ask(`/submissions/${token}`)).toMatchObject({ status: 400, body: { error } });
  expect((await ask(`/submissions/${token}?base64_encoded=true`)).body.stdout).toBe('/w==\n');
  expect((await ask(`/submissions/${token}?fields=status`)).body).toEqual({
    status: { id: 3, description: 'Accepted' },
  });
  runtime.script = prints('1\n');
});

test('arguments and input reach the program', async () => {
  runtime.script = async ({ argv }, { print, input }) => {
    await print(JSON.stringify([argv.slice(-2), await input()]));
    return {};
  };
  const { stdout } = await run({ command_line_arguments: `a 'b c'`, stdin: 'in' });
  expect(JSON.parse(stdout)).toEqual([['a', 'b c'], 'in']);
  runtime.script = prints('1\n');
});

test('a batch takes what is right and refuses the rest, in order', async () => {
  const { status, body } = await ask('/submissions/batch', 'POST', {
    submissions: [python, { language_id: 71 }, { ...python, expected_output: '2' }],
  });
  expect([status, body[1]]).toEqual([201, { source_code: ["can't be blank"] }]);
  const tokens = [body[0].token, body[2].token, crypto.randomUUID()];
  const get = async (path: string, headers = {}) => (await ask(path, 'GET', undefined, headers)).body;
  const wanted = { submissions: [{ status_id: 3 }, { status_id: 4 }, null] };
  await expect.poll(() => get(`/submissions/batch?tokens=${tokens}&fields=status_id`)).toEqual(wanted);
  expect(await get('/submissions/batch?fields=status_id', { tokens: tokens.join(',') })).toEqual(wanted);
});

test('a batch of nothing right is refused as a whole', async () => {
  expect(await ask('/submissions/batch', 'POST', { submissions: [{}] })).toMatchObject({ status: 422 });
});

test('a script of Bash and an archive are run by a program of Python', async () => {
  runtime.script = byName({ python3: prints('ran\n') });
  expect((await run({ language_id: 46, source_code: 'echo ran' })).stdout).toBe('ran\n');
  const { files } = runtime.sandboxes.at(-1)!;
  expect(files.text('/workspace/script.sh')).toBe('echo ran');
  expect(files.text('/workspace/main.py')).toContain(`os.execvp('bash', ['bash', 'script.sh'`);
  const additional_files = Buffer.from('PK\x05\x06').toString('base64');
  expect((await run({ language_id: 89, source_code: '', additional_files })).status.id).toBe(3);
  expect(runtime.sandboxes.at(-1)?.files.text('/workspace/additional_files.zip')).toBe('PK\x05\x06');
  runtime.script = prints('1\n');
});

test('what there is is told', async () => {
  expect((await ask('/languages')).body).toEqual([
    { id: 46, name: 'Bash' },
    { id: 71, name: 'Python (1.0)' },
    { id: 89, name: 'Multi-file program' },
  ]);
  expect((await ask('/languages/71')).body).toMatchObject({ id: 71, is_archived: false });
  expect((await ask('/languages/1')).status).toBe(404);
  expect((await ask('/statuses')).body).toHaveLength(14);
  expect((await ask('/about')).body.version).toBe('1.13.1');
  expect((await ask('/config_info')).body).toMatchObject({
    enable_callbacks: false,
    max_submission_batch_size: 20,
    memory_limit: 524_288,
    max_wall_time_limit: 300,
    allow_enable_network: false,
  });
  expect((await ask('/nothing')).body).toEqual({ error: 'not found' });
});
