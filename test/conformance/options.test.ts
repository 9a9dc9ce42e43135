import { describe, expect, inject, test } from 'vitest';
import { http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';

/** Options that are refused, and how: a wrong one as a bad field, one that nothing here honours as not supported. */
const server = inject('server');
const code = 'print(1)';

describe('POST /api/execution', () => {
  const post = (body: unknown) => http(`${server.url}/api/execution`, 'POST', body);

  test.for([
    ['timeout above the server’s maximum', { config: { timeout: 301 } }, 'config.timeout'],
    ['timeout of nothing', { config: { timeout: 0 } }, 'config.timeout'],
    ['timeout as a string', { config: { timeout: '5' } }, 'config.timeout'],
    ['memory above the server’s maximum', { config: { memoryLimit: 2049 } }, 'config.memoryLimit'],
    ['memory below what an interpreter needs', { config: { memoryLimit: 1 } }, 'config.memoryLimit'],
    ['cpuLimit of nothing', { config: { cpuLimit: 0 } }, 'config.cpuLimit'],
    ['an unknown field', { colour: 'red' }, 'colour'],
    ['an unknown field of config', { config: { colour: 1 } }, 'config.colour'],
    ['an unknown field of a file', { files: [{ path: 'a', content: '', x: 1 }] }, 'files[0].x'],
    [
      'a file below a file',
      {
        files: [
          { path: 'x', content: '' },
          { path: 'x/y', content: '' },
        ],
      },
      'files[1].path',
    ],
    ['a file below the code', { files: [{ path: 'main.py/x', content: '' }] }, 'files[0].path'],
    ['a file outside /workspace', { files: [{ path: '../a', content: '' }] }, 'files[0].path'],
    [
      'a file that is not base64',
      { files: [{ path: 'a', content: '*', encoding: 'base64' }] },
      'files[0].content',
    ],
    ['an output file outside /workspace', { outputFiles: ['/etc/passwd'] }, 'outputFiles[0]'],
    ['empty code', { code: '' }, 'code'],
    ['code that is too long', { code: 'x'.repeat(100_001) }, 'code'],
    ['args that are no list', { args: 'a' }, 'args'],
    ['a NUL in an argument', { args: ['a\0b'] }, 'args[0]'],
    [
      'an environment with an impossible name',
      { config: { environment: { 'A=B': '1' } } },
      'config.environment',
    ],
    ['an unknown runtimeType', { runtimeType: 'Quantum' }, 'runtimeType'],
    ['an unknown runtimePreference', { runtimePreference: 'Cheap' }, 'runtimePreference'],
  ] as [string, object, string][])('refuses %s and names the field', async ([, fields, field]) => {
    const answer = await post({ language: 'python', code, ...fields });
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_ERROR' } });
    expect(answer.body.message).toContain(field);
  });

  test.for([
    ['the network', { config: { disableNetwork: false } }, 'disableNetwork'],
    ['packages of C#', { language: 'csharp', config: { packages: ['x'] } }, 'packages'],
    [
      'a writable root',
      { runtimeType: 'Docker', config: { readOnlyFilesystem: false } },
      'readOnlyFilesystem',
    ],
    [
      'an image without a container',
      { runtimeType: 'Python', dockerImage: 'codebeaker-python' },
      'dockerImage',
    ],
  ] as [string, object, string][])('says that %s is not supported', async ([, fields, field]) => {
    const answer = await post({ language: 'python', code, ...fields });
    expect(answer).toMatchObject({ status: 422, body: { code: 'NOT_SUPPORTED' } });
    expect(answer.body.message).toMatch(new RegExp(`^[a-zA-Z.]*${field}: `));
  });

  test('takes options at their defaults', async () => {
    const config = { disableNetwork: true, readOnlyFilesystem: true, packages: [], environment: {} };
    expect((await post({ language: 'python', code, config, stdin: '', args: [], files: [] })).status).toBe(
      200,
    );
  });

  test('knows no other languages', async () => {
    const answer = await post({ language: 'cobol', code });
    expect(answer).toMatchObject({ status: 422, body: { code: 'UNSUPPORTED_LANGUAGE' } });
  });

  test('says which runtimes it considered and why each was refused', async () => {
    const answer = await post({ language: 'python', code, runtimeType: 'Bun' });
    expect(answer).toMatchObject({ status: 422, body: { code: 'RUNTIME_UNAVAILABLE' } });
    expect(`${answer.body.message} ${answer.body.details}`).toContain('Bun');
  });
});

describe('session.create', () => {
  test.for([
    [{ memoryLimitMB: 4096 }, 'memoryLimitMB'],
    [{ idleTimeoutMinutes: 0 }, 'idleTimeoutMinutes'],
    [{ colour: 1 }, 'colour'],
    [{ environment: { A: 1 } }, 'environment'],
    [{ persistFilesystem: 'yes' }, 'persistFilesystem'],
    [{ metadata: { long: 'x'.repeat(70_000) } }, 'metadata'],
  ] as [object, string][])('refuses %j and names the field', async ([fields, field]) => {
    const client = await RpcClient.connect(server.wsUrl);
    const error = await client.refused('session.create', { language: 'python', ...fields });
    expect(error.code).toBe(-32602);
    expect(JSON.stringify(error.data)).toContain(field);
    await client.close();
  });

  test('says that the network and Deno’s permissions are not supported', async () => {
    const client = await RpcClient.connect(server.wsUrl);
    for (const fields of [{ networkEnabled: true }, { permissions: { allowNet: true } }]) {
      const error = await client.refused('session.create', { language: 'python', ...fields });
      expect(error.data).toMatchObject({ code: 'NOT_SUPPORTED', field: Object.keys(fields)[0] });
    }
    await client.close();
  });

  test('takes snake_case twins of its fields', async () => {
    const client = await RpcClient.connect(server.wsUrl);
    const info = await client.call('session.create', {
      language: 'python',
      memory_limit_mb: 256,
      idle_timeout_minutes: 1,
    });
    expect(info.config).toMatchObject({ memoryLimitMB: 256, idleTimeoutMinutes: 1 });
    await client.call('session.close', { sessionId: info.sessionId });
    await client.close();
  });
});

describe('commands that are not built yet', () => {
  test('are unknown as types and -32601 as methods', async () => {
    const client = await RpcClient.connect(server.wsUrl);
    const { sessionId } = await client.call('session.create', { language: 'python' });
    const unknown = await client.refused('session.execute', { sessionId, command: { type: 'format_disk' } });
    expect(unknown.code).toBe(-32602);
    expect(await client.refused('session.fork', { sessionId })).toMatchObject({ code: -32601 });
    await client.call('session.close', { sessionId });
    await client.close();
  });
});

describe('GET /api/language', () => {
  test('lists languages with their runtimes, measured on this machine', async () => {
    const { status, body } = await http(`${server.url}/api/language`);
    expect(status).toBe(200);
    const python = body.find((l: { name: string }) => l.name === 'python');
    expect(python).toMatchObject({ displayName: 'Python', aliases: expect.arrayContaining(['py']) });
    expect(python.version).toMatch(/^\d+\.\d+/);
    const local = python.runtimes.find((r: { runtimeType: string }) => r.runtimeType === 'Python');
    expect(local).toMatchObject({ available: true, reason: null });
    expect(local.version).toMatch(/^3\.\d+\.\d+/);
    expect(local.startupMs).toBeGreaterThan(0);
    expect(local.memoryMB).toBeGreaterThan(0);
    expect(local.isolationLevel).toBeGreaterThanOrEqual(1);
    const client = await RpcClient.connect(server.wsUrl);
    expect(await client.call('language.list')).toEqual(body);
    await client.close();
  });

  test('knows a language by name and alias, and no other', async () => {
    for (const name of ['python', 'py']) {
      expect(await http(`${server.url}/api/language/${name}`)).toMatchObject({
        status: 200,
        body: { name: 'python' },
      });
    }
    const answer = await http(`${server.url}/api/language/cobol`);
    expect(answer).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});
