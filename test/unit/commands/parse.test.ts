import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../../src/commands/parse.ts';

describe('a command', () => {
  it.each([
    [{ type: 'write_file', path: 'a', content: 'b' }],
    [{ type: 'write_file', params: { path: 'a', content: 'b' } }],
  ])('may be flat or nested: %j', raw => {
    expect(parseCommand(raw)).toMatchObject({
      type: 'write_file',
      params: { path: 'a', content: 'b' },
    });
  });

  it.each([
    [{ type: 'execute', code: 'x' }, 'execute_code', { code: 'x' }],
    [
      { type: 'shell', command: 'ls', env: { A: 'b' } },
      'execute_shell',
      { commandName: 'ls', environment: { A: 'b' } },
    ],
    [{ type: 'create_dir', path: 'a' }, 'create_directory', { path: 'a' }],
    [
      { type: 'copy_file', source: 'a', destination: 'b' },
      'copy_file',
      { sourcePath: 'a', destinationPath: 'b' },
    ],
    [{ type: 'list_files' }, 'list_directory', { recursive: true }],
    [
      { type: 'list_directory', include_hidden: true, max_depth: 2 },
      'list_directory',
      { includeHidden: true, maxDepth: 2 },
    ],
    [{ type: 'write_file', path: 'a', content: 'b', mode: 'Overwrite' }, 'write_file', { mode: 'Create' }],
  ])('is understood under older names: %j', (raw, type, params) => {
    const parsed = parseCommand(raw);
    expect(parsed.type).toBe(type);
    expect(parsed.params).toMatchObject(params);
  });

  it.each([
    [null, 'command'],
    [[], 'command'],
    [{}, 'command.type'],
    [{ type: 'nonsense' }, 'command.type'],
    [{ type: 'toString' }, 'command.type'],
    [{ type: 'write_file', path: 'a' }, 'command.content'],
    [{ type: 'write_file', path: 1, content: '' }, 'command.path'],
    [{ type: 'write_file', path: 'a', content: '', extra: 1 }, 'command.extra'],
    [{ type: 'write_file', params: { path: 'a', content: '', extra: 1 } }, 'command.params.extra'],
    [{ type: 'read_file', params: { path: 'a' }, path: 'b' }, 'command.path'],
    [{ type: 'copy_file', source: 'a', sourcePath: 'b', destination: 'c' }, 'command.sourcePath'],
    [{ type: 'execute_shell', commandName: 'ls', environment: { 'a b': 'c' } }, 'command.environment.a b'],
    [{ type: 'execute_shell', commandName: 'l\0s' }, 'command.commandName'],
    [{ type: 'read_file', path: 'a', id: 7 }, 'command.id'],
  ])('that is wrong names the field: %j', (raw, field) => {
    expect(() => parseCommand(raw)).toThrow(expect.objectContaining({ code: 'VALIDATION_ERROR', field }));
  });

  it.each(['__proto__', 'constructor', 'toString'])('knows no field of the name %s', name => {
    const raw = JSON.parse(`{"type":"read_file","path":"a","${name}":{"path":"b"}}`);
    expect(() => parseCommand(raw)).toThrow(expect.objectContaining({ field: `command.${name}` }));
  });
});
