import { describe, expect, inject, test } from 'vitest';
import { ERAS, McpClient, textOf } from '../support/mcp-client.ts';

/** What an agent does by MCP, with the protocol's own client, in both of its eras. */
const server = inject('server');
/** A picture of one pixel. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

describe.for(ERAS)('a client of %s', era => {
  const connect = () => McpClient.connect(server.url, era);

  test('is served in its own era, and finds the tools with their shapes', async () => {
    await using mcp = await connect();
    expect(mcp.client.getNegotiatedProtocolVersion()).toBe(era);
    expect(mcp.client.getServerVersion()).toMatchObject({ name: 'codebeaker' });
    const { tools } = await mcp.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'execute_code',
      'run_command',
      'write_file',
      'read_file',
      'list_files',
      'create_session',
      'close_session',
    ]);
    for (const tool of tools)
      expect(tool).toMatchObject({ inputSchema: { type: 'object' }, outputSchema: { type: 'object' } });
    expect(tools[0]!.description).toMatch(/Languages: .*python/);
  });

  test('goes through an agent’s loop: code, files and commands see one another', async () => {
    await using mcp = await connect();
    const first = await mcp.call('execute_code', { code: 'x = 20\nx + 1' });
    expect(first).toMatchObject({
      content: [{ text: '21' }],
      structuredContent: { sessionBegan: true, outcome: 'ok' },
    });
    expect(await mcp.says('print("x is", x)')).toBe('x is 20\n');
    await mcp.call('write_file', { path: 'data/in.txt', content: '1 2 39' });
    expect(await mcp.says('sum(map(int, open("data/in.txt").read().split()))')).toBe('42');
    expect(await mcp.says('const n: number = 6; n * 7', { language: 'typescript' })).toBe('42');
    const command = await mcp.call('run_command', { command: 'wc -w < data/in.txt; echo bad >&2; exit 3' });
    expect(command).toMatchObject({ structuredContent: { exitCode: 3, stdout: '3\n', stderr: 'bad\n' } });
    expect(textOf(command)).toBe('3\nstderr:\nbad\n(exit code 3)');
    expect(command.isError).toBeUndefined();
    const direct = await mcp.call('run_command', { command: 'echo', args: ['$HOME', 'a b'] });
    expect(direct.structuredContent.stdout).toBe('$HOME a b\n');
    expect(textOf(await mcp.call('read_file', { path: 'data/in.txt' }))).toBe('1 2 39');
    expect(textOf(await mcp.call('list_files', { recursive: true }))).toBe(
      'data (directory)\ndata/in.txt (6 bytes)',
    );
    const { sessionId } = first.structuredContent;
    expect((await mcp.call('close_session')).structuredContent).toEqual({ closed: [sessionId] });
    expect(await mcp.says('x')).toMatch(/NameError: name 'x' is not defined/);
  });

  test('sees pictures: of a cell’s value and of a file', async () => {
    await using mcp = await connect();
    const code = `from IPython.display import display\nimport base64\npng = base64.b64decode("${PNG}")
open("one.png", "wb").write(png)
display({"image/png": "${PNG}", "text/plain": "one pixel"}, raw=True)
display({"image/png": "no picture at all", "text/plain": "none"}, raw=True)`;
    const cell = await mcp.call('execute_code', { code });
    const picture = { type: 'image', data: PNG, mimeType: 'image/png' };
    expect(cell.content).toEqual([{ type: 'text', text: 'none' }, picture]);
    // Once is enough.
    expect(cell.structuredContent.results).toEqual([
      { 'text/plain': 'one pixel' },
      { 'text/plain': 'none', 'image/png': 'no picture at all' },
    ]);
    expect((await mcp.call('read_file', { path: 'one.png' })).content).toEqual([picture]);
  });

  test('hears what is printed while it runs, in order and before the answer', async () => {
    await using mcp = await connect();
    const heard: string[] = [];
    const numbers: number[] = [];
    const code = 'for i in range(2000): print(i)\nprint("é" * 100_000)';
    const answer = await mcp.call(
      'execute_code',
      { code },
      {
        onprogress({ progress, message }) {
          numbers.push(progress);
          heard.push(message ?? '');
        },
      },
    );
    expect(heard.join('')).toBe(answer.structuredContent.stdout);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  test('cancels a call, and goes on in the same session', async () => {
    await using mcp = await connect();
    await mcp.says('x = 1');
    const cancelled = new AbortController();
    const running = mcp.call(
      'execute_code',
      { code: 'print("on", flush=True)\nimport time\ntime.sleep(60)' },
      {
        signal: cancelled.signal,
        onprogress: () => cancelled.abort('enough'),
      },
    );
    await expect(running).rejects.toThrow('enough');
    expect(await mcp.says('x')).toBe('1');
  });

  test('is told by the tool what it may not have, and can do better', async () => {
    await using mcp = await connect();
    const refused = async (name: string, args: Record<string, unknown>) => {
      const answer = await mcp.call(name, args);
      return { isError: answer.isError, text: textOf(answer) };
    };
    for (const [name, args, words] of [
      ['execute_code', { code: 1 }, 'VALIDATION_ERROR: code: Expected string'],
      ['execute_code', { code: '1', packages: ['x'] }, 'VALIDATION_ERROR: packages: unknown field'],
      [
        'execute_code',
        { code: '1', sessionId: 'nobody’s' },
        'SESSION_NOT_FOUND: Session not found: nobody’s',
      ],
      ['execute_code', { code: '1', language: 'cobol' }, /^UNSUPPORTED_LANGUAGE: language: "cobol"/],
      ['execute_code', { code: '1', timeout: 1e6 }, /^VALIDATION_ERROR: timeout: /],
      ['read_file', { path: '/etc/passwd' }, 'VALIDATION_ERROR: path: leaves /workspace'],
      ['read_file', { path: 'missing' }, 'File not found: /workspace/missing'],
      ['run_command', { command: 'nothing-of-the-kind', args: [] }, 'Program not found: nothing-of-the-kind'],
    ] as const) {
      expect(await refused(name, args)).toEqual({
        isError: true,
        text: typeof words === 'string' ? words : expect.stringMatching(words),
      });
    }
    await expect(mcp.call('install_packages', { packages: ['six'] })).rejects.toThrow(
      'Unknown tool: install_packages',
    );
    expect(await mcp.says('1 + 1')).toBe('2');
  });

  test('keeps work apart in sessions by argument', async () => {
    await using mcp = await connect();
    const { sessionId } = (await mcp.call('create_session', { language: 'javascript' })).structuredContent;
    await mcp.says('x = 1');
    expect(await mcp.says('var x = 2; x', { sessionId })).toBe('2');
    expect(await mcp.says('x')).toBe('1');
    expect((await mcp.call('close_session', { sessionId })).structuredContent).toEqual({
      closed: [sessionId],
    });
    expect(textOf(await mcp.call('execute_code', { code: '1', sessionId }))).toMatch(/^SESSION_NOT_FOUND/);
  });
});
