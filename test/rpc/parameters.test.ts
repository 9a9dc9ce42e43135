import { describe, expect, test } from 'vitest';
import { openDoor } from './door.ts';

const run = (params: object) =>
  openDoor().ask('execution.run', { code: '{}', language: 'python', ...params });

describe('parameters', () => {
  test.each<[object, string, RegExp]>([
    [{ config: { timeout: '5' } }, 'config.timeout', /^config\.timeout: Expected number/],
    [{ timeout: '5' }, 'config.timeout', /Expected number/],
    [{ code: 5 }, 'code', /Expected string/],
    [{ code: '' }, 'code', /./],
    [{ colour: 'red' }, 'colour', /unknown field/],
    [{ config: { colour: 1 } }, 'config.colour', /unknown field/],
    [{ args: ['a', 1] }, 'args[1]', /Expected string/],
    [
      { files: [{ path: 'a', content: 'b', encoding: 'rot13' }] },
      'files[0].encoding',
      /must be one of utf8, base64/,
    ],
    [{ config: [] }, 'config', /Expected object/],
    [{ timeout: 1, config: 5 }, 'config', /Expected object/],
    [{ timeout: 1, config: { timeout: 2 } }, 'timeout', /given twice/],
    [{ memory_limit: 64, memoryLimit: 64 }, 'memory_limit', /given twice/],
    [{ config: { environment: { 'NOT-A-NAME': 'x' } } }, 'config.environment.NOT-A-NAME', /unknown field/],
    [{ stream: 'yes' }, 'stream', /Expected boolean/],
  ])('%j are refused, naming %s', async (params, field, message) => {
    const { error } = await run(params);
    expect(error).toMatchObject({ code: -32602, data: { code: 'VALIDATION_ERROR', field } });
    expect(error.message).toMatch(message);
  });

  test('that are missing are named', async () => {
    expect(await openDoor().ask('execution.run')).toMatchObject({
      error: { code: -32602, data: { field: 'code' } },
    });
    expect(await openDoor().ask('session.get', {})).toMatchObject({
      error: { data: { field: 'sessionId' } },
    });
  });

  test('come by name only', async () => {
    expect(await openDoor().ask('session.get', ['x'])).toMatchObject({ error: { code: -32602 } });
  });

  test('of execution.run may be flat, nested, or under their snake_case names', async () => {
    for (const params of [
      { timeout: 5, memoryLimit: 64 },
      { config: { timeout: 5, memory_limit: 64 } },
      { timeout: 5, config: { memoryLimit: 64 } },
      { timeout: 5, memory_limit: 64, output_files: [] },
    ]) {
      expect(await run(params)).toMatchObject({ result: { status: 'completed' } });
    }
  });

  test('inside a free-form map keep their names', async () => {
    const door = openDoor();
    const config = {
      language: 'python',
      memory_limit_mb: 64,
      idle_timeout_minutes: 0.5,
      environment: { memory_limit: 'x', max_depth: 'y' },
      metadata: { include_hidden: { dry_run: 1 } },
    };
    const { result } = await door.ask('session.create', config);
    expect(result.config).toEqual({
      language: 'python',
      memoryLimitMB: 64,
      idleTimeoutMinutes: 0.5,
      environment: { memory_limit: 'x', max_depth: 'y' },
      metadata: { include_hidden: { dry_run: 1 } },
    });
  });

  test('named after what objects inherit are unknown fields', async () => {
    const door = openDoor();
    await door.send('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"__proto__":{"a":1}}}');
    await door.send('{"jsonrpc":"2.0","id":2,"method":"ping","params":{"constructor":1}}');
    expect(door.received).toMatchObject([{ error: { code: -32602 } }, { error: { code: -32602 } }]);
  });
});
