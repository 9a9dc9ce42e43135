import { afterAll, expect, test } from 'vitest';
import { http } from '../../support/rest-client.ts';
import { prints, runsOn } from '../support/scripts.ts';
import { openJudge0, python } from './client.ts';

/** What a client of Judge0 could ask that is not served, or takes the service's time or memory. */
const judge0 = await openJudge0(prints('1\n'));
afterAll(() => judge0.app.close());
const { ask } = judge0;

/** What is asked beside a program, and what is wrong with it. */
const WRONG: readonly (readonly [object, object])[] = [
  [{ language_id: undefined }, { language_id: ["can't be blank"] }],
  [{ language_id: 54 }, { language_id: ["language with id 54 doesn't exist"] }],
  [{ language_id: 'python' }, { language_id: ['is not a number'] }],
  [{ source_code: ' \n' }, { source_code: ["can't be blank"] }],
  [{ source_code: 1 }, { source_code: ['is invalid', "can't be blank"] }],
  [{ source_code: '#'.repeat(100_001) }, { source_code: ['is too long (maximum is 100000 characters)'] }],
  [
    { expected_output: 'x'.repeat(8 * 2 ** 20 + 1) },
    { expected_output: ['is too long (maximum is 8388608 bytes)'] },
  ],
  [{ stdin: [] }, { stdin: ['is invalid'] }],
  [{ cpu_time_limit: 0 }, { cpu_time_limit: ['must be greater than 0'] }],
  [{ cpu_time_limit: 'fast' }, { cpu_time_limit: ['is not a number'] }],
  [{ wall_time_limit: 1e9 }, { wall_time_limit: ['must be less than or equal to 300'] }],
  [{ memory_limit: 2048 }, { memory_limit: ['must be greater than or equal to 32768'] }],
  [{ memory_limit: 1e12 }, { memory_limit: ['must be less than or equal to 2097152'] }],
  [{ stack_limit: 64_000 }, { stack_limit: ['must be less than or equal to 8192'] }],
  [{ number_of_runs: 2 }, { number_of_runs: ['must be less than or equal to 1'] }],
  [
    { max_processes_and_or_threads: 60 },
    { max_processes_and_or_threads: ['must be greater than or equal to 128'] },
  ],
  [{ redirect_stderr_to_stdout: true }, { redirect_stderr_to_stdout: ['this option cannot be enabled'] }],
  [
    { enable_per_process_and_thread_time_limit: 'true' },
    { enable_per_process_and_thread_time_limit: ['this option cannot be enabled'] },
  ],
  [{ enable_network: true }, { enable_network: ['enabling network is not allowed'] }],
  [{ compiler_options: '-O2' }, { compiler_options: ['setting compiler options is not allowed'] }],
  [{ compiler_options: { toString: 1 } }, { compiler_options: ['setting compiler options is not allowed'] }],
  [
    { command_line_arguments: 'a'.repeat(513) },
    { command_line_arguments: ['is too long (maximum is 512 characters)'] },
  ],
  [
    { command_line_arguments: 'a\0' },
    { command_line_arguments: ["Expected string to match '^[^\\u0000]*$'"] },
  ],
  [{ command_line_arguments: "'a" }, { command_line_arguments: ['has a quote without an end'] }],
  [{ callback_url: 'http://127.0.0.1/' }, { callback_url: ['setting callback is not allowed'] }],
  [{ additional_files: 'AAAA' }, { additional_files: ['is not a zip archive'] }],
  [{ language_id: 89 }, { source_code: ['must be blank'], additional_files: ["can't be blank"] }],
];

test.each(WRONG.map(([more, problems]) => [problems, more] as const))(
  '%j is answered',
  async (problems, more) => {
    const answer = await ask('/submissions', 'POST', { ...python, ...more });
    expect([answer.status, answer.body]).toEqual([422, problems]);
  },
);

test('what is asked as it is anyway is taken', async () => {
  const more = {
    number_of_runs: 1,
    stack_limit: null,
    redirect_stderr_to_stdout: false,
    enable_network: false,
    compiler_options: '',
    callback_url: null,
  };
  expect((await ask('/submissions?wait=true', 'POST', { ...python, ...more })).body.status.id).toBe(3);
});

test.each([null, [], 'text', 7])('%j is no submission', async body => {
  expect((await ask('/submissions', 'POST', JSON.stringify(body))).status).toBe(422);
  expect((await ask('/submissions/batch', 'POST', JSON.stringify(body))).status).toBe(400);
});

test.each([
  ['GET', '/submissions/batch', 'there should be at least one submission in a batch'],
  [
    'GET',
    `/submissions/batch?tokens=${Array(21).fill('a')}`,
    'number of submissions in a batch should be less than or equal to 20',
  ],
  [
    'GET',
    `/submissions/${crypto.randomUUID()}?fields=stdout,source_code,__proto__`,
    'invalid fields: [source_code, __proto__]',
  ],
  ['GET', `/submissions/batch?tokens=a&fields=${'a,'.repeat(2000)}`, 'fields is over 2048 characters'],
  ['GET', '/submissions', 'listing submissions is not allowed'],
  ['DELETE', `/submissions/${crypto.randomUUID()}`, 'delete not allowed'],
])('%s %s is refused', async (method, path, error) => {
  expect(await ask(path, method)).toMatchObject({ status: 400, body: { error } });
});

test('a batch of thousands is refused, and nothing of it runs', async () => {
  const before = judge0.runtime.sandboxes.length;
  const { status, body } = await ask('/submissions/batch', 'POST', { submissions: Array(5000).fill(python) });
  expect([status, body.error]).toEqual([
    400,
    'number of submissions in a batch should be less than or equal to 20',
  ]);
  expect(judge0.runtime.sandboxes).toHaveLength(before);
});

test('one of a batch that cannot be started is told, and the others are taken', async () => {
  const submissions = [python, { ...python, command_line_arguments: 'a\0' }];
  const { status, body } = await ask('/submissions/batch', 'POST', { submissions });
  expect([status, body]).toEqual([
    201,
    [{ token: expect.any(String) }, { command_line_arguments: [expect.any(String)] }],
  ]);
});

test('a body that is no JSON, or of another type, is refused', async () => {
  expect(await ask('/submissions', 'POST', '{')).toMatchObject({
    status: 400,
    body: { error: expect.any(String) },
  });
  const other = await ask('/submissions', 'POST', 'a=b', {
    'content-type': 'application/x-www-form-urlencoded',
  });
  expect([other.status, Object.keys(other.body)]).toEqual([415, ['error']]);
});

test('an execution of another door is no submission, and its owner learns no more', async () => {
  const id = await judge0.start();
  const answer = await ask(`/submissions/${id}`);
  expect([answer.status, answer.body]).toEqual([404, { error: `submission with token ${id} doesn't exist` }]);
});

test('a token is worth nothing to another key, in a batch as well', async () => {
  const keys = { CODEBEAKER_API_KEYS: 'first,second' };
  const { ask, app } = await openJudge0(prints('secret\n'), keys);
  const as = (key: string) => ({ 'x-auth-token': key });
  const { body } = await ask('/submissions?wait=true', 'POST', python, as('first'));
  const get = (path: string, key: string) => ask(path, 'GET', undefined, as(key));
  expect((await get(`/submissions/${body.token}`, 'first')).body.stdout).toBe('secret\n');
  expect((await get(`/submissions/${body.token}`, 'second')).status).toBe(404);
  expect((await get(`/submissions/batch?tokens=${body.token}`, 'second')).body).toEqual({
    submissions: [null],
  });
  const without = await ask(`/submissions/${body.token}`);
  expect([without.status, Object.keys(without.body)]).toEqual([401, ['error']]);
  expect((await ask('/languages')).status).toBe(401);
  await app.close();
});

test('where no more may wait, none of a batch is left behind', async () => {
  const { ask, app, runtime, service } = await openJudge0(runsOn, {}, { maxConcurrency: 4, maxQueue: 4 });
  const answer = await ask('/submissions/batch', 'POST', { submissions: Array(20).fill(python) });
  expect([answer.status, answer.body]).toEqual([503, { error: 'queue is full' }]);
  const running = () => runtime.sandboxes.filter(({ processes }) => processes.at(-1)?.runs).length;
  await expect.poll(running).toBe(0);
  // Nothing of it waits either: what comes next runs at once.
  expect((await ask('/submissions', 'POST', python)).status).toBe(201);
  await expect.poll(running).toBe(1);
  await service.close();
  await app.close();
});

test('a client that leaves while it waits ends its program', async () => {
  const { url, app, runtime } = await openJudge0(runsOn);
  const gone = new AbortController();
  const asked = fetch(`${url}/judge0/submissions?wait=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(python),
    signal: gone.signal,
  }).catch(() => null);
  await expect.poll(() => runtime.sandboxes[0]?.processes.at(-1)?.runs).toBe(true);
  gone.abort();
  await asked;
  await expect.poll(() => runtime.sandboxes[0]?.processes.at(-1)?.runs).toBe(false);
  await app.close();
});

test('the door is closed where the operator names others', async () => {
  const { url, app } = await openJudge0(prints(''), { CODEBEAKER_DOORS: 'piston' });
  expect((await http(`${url}/judge0/languages`)).status).toBe(404);
  await app.close();
});
