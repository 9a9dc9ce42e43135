import { once } from 'node:events';
import { afterAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { inShort, JupyterClient } from '../../support/jupyter-client.ts';
import { http as send } from '../../support/rest-client.ts';
import { openHttp } from '../support/open-http.ts';
import { cellError, kernel } from '../support/scripts.ts';

const MARK = 'application/vnd.codebeaker.jupyter+json';
const marked = (tag: object, data: object = {}) => ({ [MARK]: tag, ...data });
let release = () => {};
let waits = Promise.withResolvers<void>();
/** Called before a cell that waits is sent; resolves when it does. */
function nextWaits(): Promise<void> {
  waits = Promise.withResolvers();
  return waits.promise;
}

/** What cells do by their code; any other has a value. */
const script = kernel(async ({ cell, code }, program) => {
  if (code === 'print') await program.print('out\n');
  else if (code === 'fail') return { error: cellError('ValueError', 'no') };
  else if (code === 'wait')
    await new Promise<void>(resolve => {
      release = resolve;
      waits.resolve();
      program.on('SIGINT', resolve);
    });
  else if (code === 'show')
    return {
      results: [
        marked({ show: 'display', id: 'one' }, { 'text/plain': 'a' }),
        marked({ show: 'update', id: 'one', metadata: { x: 1 } }, { 'text/plain': 'b' }),
        marked({ clear: true }),
        marked({ show: 'display', raw: true }, { 'text/plain': '', 'text/html': '<b>' }),
        { 'text/plain': 'value' },
      ],
    };
  else if (code === 'ask') {
    program.control({ cell, result: marked({ input: 'name? ', hidden: true }) });
    await program.print(`typed ${JSON.stringify(await program.input())}`);
  } else if (code === 'show too much')
    return { results: ['a', 'b', 'c'].map(each => ({ 'text/plain': each.repeat(6 * 1024 * 1024) })) };
  else if (code === 'value') return { results: [{ 'text/plain': '42' }] };
  return undefined;
});

const http = await openHttp({}, { script });
afterAll(() => http.app.close());
const at = (path: string) => `${http.url}/jupyter/api${path}`;

async function start(): Promise<string> {
  const { status, body } = await send(at('/kernels'), 'POST', { name: 'python3' });
  expect(status).toBe(201);
  return body.id;
}

async function open(options = {}) {
  const id = await start();
  return { id, client: await JupyterClient.connect(http.url, id, options) };
}

/** Resolves when the kernel has what its client has sent: what is on the control channel is answered at once. */
async function allHasCome(client: JupyterClient): Promise<void> {
  const last = client.send('kernel_info_request', {}, 'control');
  await client.find(({ parent_header }) => parent_header.msg_id === last);
}

describe('kernels over HTTP', () => {
  it('are of the languages that are here', async () => {
    const { body } = await send(at('/kernelspecs'));
    expect(body.default).toBe('python3');
    expect(body.kernelspecs.python3).toMatchObject({
      spec: { language: 'python', display_name: 'Python 3' },
    });
    expect(body.kernelspecs.javascript).toBeUndefined();
    expect((await send(at('/kernelspecs/cobol'))).status).toBe(404);
  });

  it('are made, listed, found and ended', async () => {
    const id = await start();
    expect((await send(at('/kernels'))).body).toContainEqual(
      expect.objectContaining({ id, name: 'python3' }),
    );
    expect((await send(at(`/kernels/${id}`))).body).toEqual({
      id,
      name: 'python3',
      last_activity: expect.stringMatching(/^\d{4}-/),
      execution_state: expect.stringMatching(/^(?:starting|idle)$/),
      connections: 0,
    });
    expect((await send(at(`/kernels/${id}`), 'DELETE')).status).toBe(204);
    const { status, body } = await send(at(`/kernels/${id}`));
    expect([status, body.message]).toEqual([404, `Kernel does not exist: ${id}`]);
  });

  it('are made from JSON that is said to be text, as one client sends it', async () => {
    const answer = await fetch(at('/kernels?1795911970116'), {
      method: 'POST',
      headers: { 'content-type': 'text/plain;charset=UTF-8' },
      body: JSON.stringify({ name: 'python3', path: '', env: { KERNEL_USERNAME: 'ann' } }),
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('location')).toMatch(/^\/jupyter\/api\/kernels\//);
  });

  it('are refused by name', async () => {
    const { status, body } = await send(at('/kernels'), 'POST', { name: 'cobol' });
    expect([status, body.message]).toEqual([400, 'No such kernel named cobol']);
  });
});

describe.each([false, true])('a socket (binary: %s)', binary => {
  it('hears of a cell in order, and its reply', async () => {
    const { client } = await open({ binary });
    expect(await client.cell('print')).toEqual([
      'status busy',
      'execute_input print',
      'stream stdout "out\\n"',
      'execute_reply ok',
      'status idle',
    ]);
    expect(await client.cell('value')).toContain('execute_result 42');
    expect(await client.answer('execute_request', { code: 'value' })).toMatchObject({ execution_count: 3 });
    await client.close();
  });
});

describe('a kernel', () => {
  it('tells what a cell shows, changes and clears', async () => {
    const { client } = await open();
    expect(await client.cell('show')).toEqual([
      'status busy',
      'execute_input show',
      'display_data one a',
      'update_display_data one b',
      'clear_output wait true',
      'display_data text/html',
      'execute_result value',
      'execute_reply ok',
      'status idle',
    ]);
  });

  it('tells all its sockets what happens, and answers the one that asked', async () => {
    const { id, client } = await open();
    const other = await JupyterClient.connect(http.url, id, { binary: true });
    const request = client.send('execute_request', { code: 'print' });
    await client.causedBy(request);
    const seen = await other.find(({ content }) => content.execution_state === 'idle');
    expect(seen).toBeDefined();
    await other.until(
      () => other.received.filter(each => each.parent_header.msg_id === request).length === 4,
    );
    expect(other.received.filter(({ channel }) => channel !== 'iopub')).toEqual([]);
    expect((await send(at(`/kernels/${id}`))).body.connections).toBe(2);
  });

  it('runs no cell behind one that failed, unless the client wants it', async () => {
    const { client } = await open();
    const ids = ['fail', 'value', 'value'].map(code => client.send('execute_request', { code }));
    const replies = await Promise.all(ids.map(id => client.causedBy(id)));
    expect(replies.map(each => each.find(({ channel }) => channel === 'shell').content.status)).toEqual([
      'error',
      'aborted',
      'aborted',
    ]);
    const going = [{ code: 'fail', stop_on_error: false }, { code: 'value' }];
    const [, second] = going.map(content => client.send('execute_request', content));
    expect((await client.causedBy(second!)).map(({ content }) => content.status)).toContain('ok');
  });

  it('keeps silent cells out of the count, and their values to itself', async () => {
    const { client } = await open();
    expect(await client.cell('value', { silent: true })).toEqual([
      'status busy',
      'execute_reply ok',
      'status idle',
    ]);
    expect(await client.cell('', {})).not.toContain('error');
    const reply = await client.answer('execute_request', { code: 'value', user_expressions: { a: 'x' } });
    expect(reply).toMatchObject({ execution_count: 1, user_expressions: { a: { status: 'error' } } });
    const { history } = await client.answer('history_request', { hist_access_type: 'tail', n: 10 });
    expect(history).toEqual([[0, 1, 'value']]);
  });

  it('answers what it can’t know in the protocol’s form', async () => {
    const { client } = await open();
    const code = { code: 'x', cursor_pos: 1 };
    expect(await client.answer('complete_request', code)).toMatchObject({ status: 'ok', matches: [] });
    expect(await client.answer('inspect_request', code)).toMatchObject({ status: 'ok', found: false });
    expect(await client.answer('is_complete_request', code)).toEqual({ status: 'unknown' });
    expect(await client.answer('comm_info_request')).toEqual({ status: 'ok', comms: {} });
    expect(await client.answer('kernel_info_request')).toMatchObject({
      protocol_version: '5.3',
      language_info: { name: 'python', file_extension: '.py' },
    });
    client.send('comm_open', { comm_id: 'c', target_name: 'jupyter.widget', data: {} });
    const closed = await client.find(({ header }) => header.msg_type === 'comm_close');
    expect(closed.content).toEqual({ comm_id: 'c', data: {} });
  });

  it('refuses a cell that is longer than cells may be, and goes on', async () => {
    const { client } = await open();
    const reply = await client.answer('execute_request', { code: '#'.repeat(100_001) });
    expect(reply).toMatchObject({ status: 'error', ename: 'VALIDATION_ERROR' });
    expect(reply.evalue).toMatch(/^content\.code: /);
    expect(await client.answer('execute_request', { code: 1 })).toMatchObject({ status: 'error' });
    expect(await client.cell('value')).toContain('execute_result 42');
  });

  it('goes on with its cell when its client leaves', async () => {
    const { id, client } = await open();
    const begun = nextWaits();
    client.send('execute_request', { code: 'wait' });
    await begun;
    await client.close();
    const other = await JupyterClient.connect(http.url, id);
    expect((await send(at(`/kernels/${id}`))).body.execution_state).toBe('busy');
    const next = other.send('execute_request', { code: 'value' });
    release();
    expect((await other.causedBy(next)).map(({ content }) => content.status)).toContain('ok');
  });

  it('asks the client whose cell reads, and nobody once that has left', async () => {
    const { id, client } = await open();
    const other = await JupyterClient.connect(http.url, id);
    client.send('execute_request', { code: 'ask', allow_stdin: true });
    const asked = await client.find(({ header }) => header.msg_type === 'input_request');
    expect(asked).toMatchObject({ channel: 'stdin', content: { prompt: 'name? ', password: true } });
    await client.close();
    const typed = await other.find(({ header }) => header.msg_type === 'stream');
    expect(typed.content.text).toBe('typed ""');
    expect(other.received.filter(({ channel }) => channel === 'stdin')).toEqual([]);
  });

  it('asks nobody who takes no questions', async () => {
    const { client } = await open();
    expect(await client.cell('ask', { allow_stdin: false })).toEqual([
      'status busy',
      'execute_input ask',
      'stream stdout "typed \\"\\""',
      'execute_reply ok',
      'status idle',
    ]);
  });

  it.each(['over HTTP', 'by a message'])('is interrupted %s, and goes on', async way => {
    const { id, client } = await open();
    const begun = nextWaits();
    const running = client.send('execute_request', { code: 'wait' });
    const waiting = client.send('execute_request', { code: 'value' });
    await begun;
    await allHasCome(client);
    if (way === 'by a message') client.send('interrupt_request', {}, 'control');
    else expect((await send(at(`/kernels/${id}/interrupt`), 'POST')).status).toBe(204);
    await client.causedBy(running);
    expect((await client.causedBy(waiting)).map(inShort)).toContain('execute_result 42');
  });

  it('begins anew, and tells its clients', async () => {
    const { id, client } = await open();
    await client.cell('value');
    const { status, body } = await send(at(`/kernels/${id}/restart`), 'POST');
    expect([status, body]).toEqual([200, expect.objectContaining({ id })]);
    await client.find(({ content }) => content.execution_state === 'starting');
    expect(await client.answer('execute_request', { code: 'value' })).toMatchObject({ execution_count: 1 });
  });

  it('ends what runs and waits when it begins anew', async () => {
    const { id, client } = await open();
    const begun = nextWaits();
    const ids = ['wait', 'value'].map(code => client.send('execute_request', { code }));
    await begun;
    await allHasCome(client);
    expect((await send(at(`/kernels/${id}/restart`), 'POST')).status).toBe(200);
    const replies = await Promise.all(ids.map(each => client.causedBy(each)));
    expect(replies.map(each => each.find(({ channel }) => channel === 'shell').content.status)).toEqual([
      'error',
      'aborted',
    ]);
  });

  it('tells its clients that it has ended', async () => {
    const { client } = await open();
    client.send('shutdown_request', { restart: false }, 'control');
    const [code] = await once(client.socket, 'close');
    expect(code).toBe(1001);
    expect(client.received.map(({ content }) => content.execution_state)).toContain('dead');
  });
});

describe('what is bounded', () => {
  it('is what a cell shows, and its reader is told that some is missing', async () => {
    const { client } = await open();
    const told = (await client.ask('execute_request', { code: 'show too much' })).map(inShort);
    expect(told.filter(each => each.startsWith('execute_result'))).toHaveLength(2);
    expect(told.find(each => each.startsWith('stream stderr'))).toMatch(/over 16 MiB was left out/);
    expect(told.slice(-2)).toEqual(['execute_reply ok', 'status idle']);
    await client.close();
  });

  it('is the number of sockets of a kernel', async () => {
    const { id } = await open();
    for (let i = 0; i < 15; i++) await JupyterClient.connect(http.url, id);
    const tooMany = await JupyterClient.connect(http.url, id);
    expect((await once(tooMany.socket, 'close'))[0]).toBe(1013);
  });

  it.each<[string, string, number]>([
    ['what is no message', '[]', 1008],
    ['JSON that is many times as large in memory', `[${Array(200_001).fill('{}').join(',')}]`, 1008],
    ['a message of 5 MiB', `"${'x'.repeat(5 * 1024 * 1024)}"`, 1009],
  ])('%s closes its socket, and nothing else', async (_, text, code) => {
    const { id, client } = await open();
    const other = await JupyterClient.connect(http.url, id);
    client.socket.send(text);
    expect((await once(client.socket, 'close'))[0]).toBe(code);
    expect(await other.cell('value')).toContain('execute_result 42');
  });

  it('is what waits', async () => {
    const { id, client } = await open();
    const begun = nextWaits();
    client.send('execute_request', { code: 'wait' });
    await begun;
    for (let i = 0; i < 1001; i++) client.send('kernel_info_request');
    expect((await once(client.socket, 'close'))[0]).toBe(1008);
    release();
    const other = await JupyterClient.connect(http.url, id);
    expect(await other.cell('value')).toContain('execute_result 42');
  });
});

it('a kernel is prepared before its first cell, and after a restart, in the time that the operator allows', async () => {
  const strict = await openHttp({}, { script, settings: { maxTimeoutSeconds: 1 } });
  try {
    const kernels = `${strict.url}/jupyter/api/kernels`;
    const { id } = (await send(kernels, 'POST', { name: 'python3' })).body;
    const client = await JupyterClient.connect(strict.url, id);
    await client.cell('value');
    await send(`${kernels}/${id}/restart`, 'POST');
    await client.cell('value');
    const told = strict.runtime.last.processes.flatMap(process => process.told);
    const codes = told.map(({ code }) => code).filter(code => typeof code === 'string');
    expect(codes.map(code => (code.includes('__jupyter__') ? 'prepared' : code))).toEqual([
      'prepared',
      'value',
      'prepared',
      'value',
    ]);
    client.socket.terminate();
  } finally {
    await strict.app.close();
  }
});

it('a key has so many kernels, also when it asks for all at once, and may have others when some have ended', async () => {
  const many = await openHttp({ CODEBEAKER_API_KEYS: 'ann,bob' }, { script });
  try {
    const kernels = `${many.url}/jupyter/api/kernels`;
    const create = (key: string) => send(kernels, 'POST', {}, { authorization: `token ${key}` });
    const all = await Promise.all(Array.from({ length: 101 }, () => create('ann')));
    const [refused, ...others] = all.filter(({ status }) => status !== 201);
    expect([refused?.status, refused?.body.message, others]).toEqual([
      429,
      'Too many kernels: 100 are running, the most allowed',
      [],
    ]);
    expect((await create('bob')).status).toBe(201);
    const { id } = all.find(({ status }) => status === 201)!.body;
    await send(`${kernels}/${id}`, 'DELETE', undefined, { authorization: 'token ann' });
    expect((await create('ann')).status).toBe(201);
  } finally {
    await many.app.close();
  }
});

it('a notebook that sends all its cells at once is slowed down to the rate that is allowed', async () => {
  const limited = await openHttp({ CODEBEAKER_RATE_LIMIT: '20' }, { script });
  try {
    const begun = performance.now();
    const { id } = (await send(`${limited.url}/jupyter/api/kernels`, 'POST', {})).body;
    const client = await JupyterClient.connect(limited.url, id);
    const ids = Array.from({ length: 30 }, () => client.send('execute_request', { code: 'value' }));
    const replies = (await Promise.all(ids.map(each => client.causedBy(each)))).flat();
    expect(replies.filter(each => inShort(each) === 'execute_result 42')).toHaveLength(30);
    // 32 requests, of which 20 are let in at once and the others one every 50 ms.
    expect(performance.now() - begun).toBeGreaterThan(400);
    client.socket.terminate();
  } finally {
    await limited.app.close();
  }
});

it('a socket of a kernel that is not there is refused before it is one', async () => {
  const socket = new WebSocket(`${http.url.replace('http', 'ws')}/jupyter/api/kernels/none/channels`);
  const [, answer] = await once(socket, 'unexpected-response');
  expect(answer.statusCode).toBe(404);
});

it('keys are asked for over HTTP, and a kernel is its key’s; its socket comes without', async () => {
  const keyed = await openHttp({ CODEBEAKER_API_KEYS: 'ann,bob' }, { script });
  try {
    const kernels = `${keyed.url}/jupyter/api/kernels`;
    const as = (key: string) => ({ authorization: `token ${key}` });
    expect((await fetch(kernels)).status).toBe(401);
    const { id } = (await (
      await fetch(kernels, { method: 'POST', headers: as('ann'), body: '{}' })
    ).json()) as { id: string };
    expect((await fetch(`${kernels}/${id}`, { headers: as('ann') })).status).toBe(200);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/interrupt'],
      ['POST', '/restart'],
    ])
      expect((await fetch(`${kernels}/${id}${path}`, { method: method!, headers: as('bob') })).status).toBe(
        404,
      );
    expect(await (await fetch(kernels, { headers: as('bob') })).json()).toEqual([]);
    const client = await JupyterClient.connect(keyed.url, id);
    expect(await client.cell('value')).toContain('execute_result 42');
    client.socket.terminate();
  } finally {
    await keyed.app.close();
  }
});
