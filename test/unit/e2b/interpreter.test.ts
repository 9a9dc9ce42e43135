import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CellRequest } from '../../../src/kernels/protocol.ts';
import { byName, cellError, kernel, prints } from '../support/scripts.ts';
import { type Made, openE2b } from './open-e2b.ts';

const ran: CellRequest[] = [];
const interrupted: string[] = [];
const script = byName({
  '/bin/bash': prints('from a shell\n'),
  kernel: kernel(async (request, { print, control, on, killed }) => {
    const { code, cell } = request;
    ran.push(request);
    if (code === 'print') await print('grüße 🙂\n\n');
    if (code === 'bytes') await print(Buffer.from([0xff, 0x0a]));
    if (code === 'fail') return { error: cellError('ValueError', 'no') };
    if (code === 'show') {
      control({
        cell,
        result: {
          'text/plain': 'figure',
          'image/png': 'AA==',
          'application/x-own': 'left out',
          'e2b/chart': { elements: [[3, 0.5, 1e17, 1e22, '1', null]] },
        },
      });
      control({ cell, result: { 'text/plain': "'ä'" }, isValue: true });
    }
    if (code === 'hang')
      await new Promise<void>(resolve => {
        on('SIGINT', () => {
          interrupted.push(code);
          resolve();
        });
        killed.addEventListener('abort', () => resolve());
      });
    return undefined;
  }),
});

const door = await openE2b({ script });
afterAll(() => door.app.close());
let made: Made;
beforeAll(async () => {
  made = await door.create();
});

const kernels = () => door.runtime.last.processes.filter(({ spec }) => spec.control);
const lastCell = () => ran.at(-1)!;
const contexts = (path = '', method = 'GET', body?: object, sandbox: Made = made) =>
  door.ask(`/contexts${path}`, {
    method,
    body,
    headers: { 'e2b-sandbox-id': sandbox.id, 'e2b-traffic-access-token': sandbox.traffic },
  });

describe('a cell', () => {
  it('is told of in lines of ASCII, none of which is empty', async () => {
    const { status, text, lines } = await door.cell(made, 'print');
    expect(status).toBe(200);
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    expect(text).not.toMatch(/\n\n|^\n/);
    expect(lines).toEqual([
      { type: 'keepalive' },
      { type: 'stdout', text: 'grüße 🙂\n\n', timestamp: expect.any(String) },
      { type: 'number_of_executions', execution_count: 1 },
    ]);
    expect((await door.cell(made, 'bytes')).lines[1]).toMatchObject({ type: 'stdout', text: '\ufffd\n' });
  });

  it('has results in the forms that clients know, and says which is its value', async () => {
    const { lines, text } = await door.cell(made, 'show');
    const chart = { elements: [[3, 0.5, 1e17, 1e22, '1', null]] };
    expect(lines.slice(1, 3)).toEqual([
      { type: 'result', text: 'figure', png: 'AA==', chart, is_main_result: false },
      { type: 'result', text: 'ä', is_main_result: true },
    ]);
    // A number of a chart is a float to clients of Python.
    expect(text).toContain('[3.0,0.5,100000000000000000.0,1e+22,"1",null]');
    expect(lastCell().structured).toBe(true);
  });

  it('that fails says how', async () => {
    expect((await door.cell(made, 'fail')).lines).toContainEqual({
      type: 'error',
      name: 'ValueError',
      value: 'no',
      traceback: 'ValueError!',
    });
  });

  it('may be empty, and say null for what it leaves out', async () => {
    const nothing = { context_id: null, language: null, env_vars: null };
    const { status, lines } = await door.cell(made, '', nothing);
    expect([status, lines.map(({ type }) => type)]).toEqual([200, ['keepalive', 'number_of_executions']]);
  });

  it('has variables of its own, and starts at home', async () => {
    await door.cell(made, 'x', { env_vars: { OWN: 'value' } });
    expect(lastCell().environment).toEqual({ OWN: 'value' });
    await door.cell(made, 'x');
    expect(lastCell()).not.toHaveProperty('environment');
    expect(kernels()[0]!.spec).toMatchObject({ cwd: '/home/user', env: { HOME: '/home/user' } });
  });

  it.each(['javascript', 'js', 'TypeScript', 'ts'])('may be in %s, at home too', async language => {
    await door.cell(made, 'x', { language });
    expect(lastCell().typescript).toBe(language.toLowerCase().startsWith('t'));
    expect(kernels().at(-1)!.spec.argv.at(-1)).toBe('/home/user');
  });

  it('may be of a shell, which is a program', async () => {
    const { lines } = await door.cell(made, 'echo $X', { language: 'bash', env_vars: { X: 'y' } });
    expect(lines[1]).toEqual({ type: 'stdout', text: 'from a shell\n', timestamp: expect.any(String) });
    expect(door.runtime.last.processes.at(-1)!.spec).toMatchObject({
      argv: ['/bin/bash', '-c', 'echo $X'],
      cwd: '/home/user',
      env: { X: 'y' },
    });
  });

  it.each([
    ['another language', { language: 'r' }, 501, /"r".*not supported by this server/],
    ['a language beside a context', { language: 'python', context_id: 'x' }, 400, /Only one of/],
    ['a context that is not there', { context_id: 'x' }, 404, /Context x not found/],
    ['variables that are none', { env_vars: { 'A=B': 'x' } }, 400, /env_vars/],
    ['too long a program', { code: 'x'.repeat(100_001) }, 400, /code/],
  ])('with %s is refused', async (_, more, status, why) => {
    const answer = await door.cell(made, 'x', more);
    expect(answer).toMatchObject({ status, body: { code: status, message: expect.stringMatching(why) } });
  });

  it('is refused where it is no JSON', async () => {
    const answer = await door.ask('/execute', { body: '{"code"', headers: door.to(made) });
    expect(answer).toMatchObject({ status: 400, body: { message: expect.stringMatching(/not JSON/) } });
  });

  it('is interrupted when its client goes', async () => {
    const client = new AbortController();
    const asked = { body: { code: 'hang' }, headers: door.to(made), signal: client.signal };
    const gone = door.send('/execute', asked).then(answer => answer.text());
    gone.catch(() => {});
    await vi.waitFor(() => expect(lastCell().code).toBe('hang'), { timeout: 15_000 });
    client.abort();
    await expect(gone).rejects.toThrow();
    await vi.waitFor(() => expect(interrupted).toEqual(['hang']), { timeout: 15_000 });
    expect((await door.cell(made, 'print')).lines).toHaveLength(3);
  });

  it('whose sandbox ends is cut short, and its client finds the sandbox gone', async () => {
    const other = await door.create();
    const answer = door.cell(other, 'hang');
    answer.catch(() => {});
    await vi.waitFor(() => expect(lastCell().code).toBe('hang'), { timeout: 15_000 });
    await door.ask(`/sandboxes/${other.id}`, { method: 'DELETE', key: 'alice' });
    await expect(answer).rejects.toThrow();
    for (const path of ['/execute', '/contexts'])
      expect(await door.ask(path, { body: { code: 'x' }, headers: door.to(other) })).toMatchObject({
        status: 502,
      });
  });
});

describe('contexts', () => {
  let own: Made;
  beforeAll(async () => {
    own = await door.create();
  });
  const count = async (id: string) =>
    (await door.cell(own, 'x', { context_id: id })).lines.at(-1)!.execution_count;

  it('of Python and JavaScript are there before any was made', async () => {
    const { text } = await contexts('', 'GET', undefined, own);
    expect(JSON.parse(text)).toEqual([
      { id: expect.any(String), language: 'python', cwd: '/home/user' },
      { id: expect.any(String), language: 'javascript', cwd: '/home/user' },
    ]);
  });

  it('are interpreters of their own, which start afresh and are removed', async () => {
    const make = async () =>
      (await contexts('', 'POST', { language: null, cwd: null }, own)).body.id as string;
    const [one, other] = [await make(), await make()];
    const before = kernels().length;
    expect([await count(one), await count(one), await count(other)]).toEqual([1, 2, 1]);
    expect(kernels().length).toBe(before + 2);
    expect((await contexts(`/${one}/restart`, 'POST', undefined, own)).status).toBe(204);
    expect([await count(one), await count(other)]).toEqual([1, 2]);
    expect((await contexts(`/${one}`, 'DELETE', undefined, own)).status).toBe(204);
    expect(kernels().filter(({ runs }) => runs)).toHaveLength(before + 1);
    for (const [path, method] of [
      [`/${one}`, 'DELETE'],
      [`/${one}/restart`, 'POST'],
    ] as const)
      expect((await contexts(path, method, undefined, own)).status).toBe(404);
  });

  it('that were removed make room: there may be so many at once, and no more', async () => {
    const ids: string[] = [];
    for (;;) {
      const { status, body } = await contexts('', 'POST', {}, own);
      if (status !== 200) {
        expect([status, body.message]).toEqual([429, expect.stringMatching(/at most 64 contexts/)]);
        break;
      }
      ids.push(body.id as string);
    }
    for (const id of ids) await contexts(`/${id}`, 'DELETE', undefined, own);
    expect((await contexts('', 'POST', {}, own)).status).toBe(200);
  });

  it('of a sandbox are nobody else’s', async () => {
    const { body } = await contexts('', 'POST', {}, own);
    expect((await contexts(`/${body.id}`, 'DELETE')).status).toBe(404);
    expect((await door.cell(made, 'x', { context_id: body.id })).status).toBe(404);
  });

  it.each([
    [{ language: 'java' }, 501, /"java"/],
    [{ language: 'bash' }, 501, /context of bash/],
    [{ cwd: 'a\0b' }, 400, /cwd/],
    [{ cwd: 7 }, 400, /cwd/],
  ])('of %j are refused', async (body, status, why) => {
    expect(await contexts('', 'POST', body)).toMatchObject({
      status,
      body: { code: status, message: expect.stringMatching(why) },
    });
  });
});
