import { describe, expect, inject, test } from 'vitest';
import { TestSession } from '../support/session.ts';

/** Deno's own permissions inside the sandbox, as a session sets them. */
const server = inject('server');
const open = (permissions?: Record<string, unknown>, environment = {}) =>
  TestSession.open(server.wsUrl, { language: 'deno', environment, ...(permissions && { permissions }) });

describe('a Deno session', () => {
  test('reads and writes in /workspace and /tmp by itself, and nowhere else', async () => {
    await using session = await open();
    expect(session.info).toMatchObject({ runtimeType: 'Deno', language: 'typescript' });
    await session.prints('await Deno.writeTextFile("a.txt", "a"); await Deno.writeTextFile("/tmp/b", "b")');
    expect(await session.prints('console.log(await Deno.readTextFile("/workspace/a.txt"))')).toBe('a\n');
    for (const [code, kind] of [
      ['await Deno.readTextFile("/etc/passwd")', 'read'],
      ['await Deno.writeTextFile("/home/sandbox/x", "")', 'write'],
      ['await Deno.connect({ hostname: "192.0.2.1", port: 1 })', 'net'],
      ['await fetch("http://example.com:8080/")', 'net'],
      ['Deno.dlopen("libc.so.6", {})', 'ffi'],
    ] as const) {
      const { success, error, result } = await session.cell(code);
      expect(success, code).toBe(false);
      expect(error).toMatch(new RegExp(`^NotCapable: Requires ${kind} access to`));
      expect(result.error.name).toBe('NotCapable');
    }
  });

  test('sees the variables it was given, and once asked for permissions no others', async () => {
    await using session = await open({}, { MINE: 'yes' });
    expect(await session.prints('console.log(Deno.env.get("MINE"))')).toBe('yes\n');
    expect((await session.cell('Deno.env.get("HOME")')).error).toMatch(
      /^NotCapable: Requires env access to "HOME"/,
    );
    expect((await session.cell('new Deno.Command("true").outputSync()')).error).toMatch(
      /^NotCapable: Requires run/,
    );
  });

  test('is held to lists and to yes and no', async () => {
    await using session = await open({
      allowRead: ['/workspace/in'],
      allowWrite: false,
      allowEnv: true,
    });
    await session.done('write_file', { path: 'in/a', content: 'a' });
    await session.done('write_file', { path: 'b', content: 'b' });
    expect(await session.prints('console.log(Deno.readTextFileSync("in/a"), Deno.env.get("HOME"))')).toBe(
      'a /home/sandbox\n',
    );
    expect((await session.cell('Deno.readTextFileSync("b")')).error).toMatch(/^NotCapable: Requires read/);
    expect((await session.cell('Deno.writeTextFileSync("in/a", "")')).error).toMatch(
      /^NotCapable: Requires write/,
    );
  });

  test('cannot take back what its kernel gave up', async () => {
    await using session = await open();
    const code = `
const states = [];
for (const name of ['ffi', 'net', 'import']) states.push((await Deno.permissions.request({ name })).state);
console.log(states.join());`;
    expect(await session.prints(code)).toMatch(/^(denied|prompt),(denied|prompt),(denied|prompt)\n$/);
  });
});

test.for([
  [{ allowNet: true }, 'permissions.allowNet'],
  [{ allowNet: ['example.com'] }, 'permissions.allowNet'],
])('a network among the permissions is refused by name: %j', async ([permissions, field]) => {
  await expect(open(permissions as Record<string, unknown>)).rejects.toMatchObject({
    data: { code: 'NOT_SUPPORTED', field },
  });
});

test.for([
  { allowRead: ['/tmp,/etc'] },
  { allowRead: [''] },
  { allowRead: ['file:///etc/passwd'] },
  { allowWrite: ['https://example.com/a'] },
  { allowWrite: 'all' },
  { allowEnv: ['A\0'] },
  { allowEnv: ['A=B'] },
  { allowEnv: [1] },
  { allowRun: true },
  { allowRead: Array(100).fill('y'.repeat(4096)) },
])('what would be another flag, no path or no name is refused: %j', async permissions => {
  const [[field]] = Object.entries(permissions) as [[string, unknown]];
  await expect(open(permissions)).rejects.toMatchObject({
    code: -32602,
    data: { field: expect.stringMatching(new RegExp(`^permissions(\\.${field}|$)`)) },
  });
});

test.for([
  ['a flag', ['--allow-all', '-A']],
  ['a variable of a shell', ['$HOME', '~', '$(id)', '`id`']],
  ['a line', ['a\n/etc', '\u2028', ' ']],
  ['a way out', ['../../nowhere', '/workspace/../nowhere', '%2fetc']],
] as const)('what looks like %s is a path like any other', async ([, allowed]) => {
  await using session = await open({
    allowRead: allowed,
    allowWrite: allowed,
    allowEnv: [...allowed, 'MINE*'],
  });
  const code = `
const allowed = [];
const attempt = (name, act) => {
  try { act(); } catch (error) { if (error.name === 'NotCapable') return; }
  allowed.push(name);
};
attempt('read', () => Deno.readTextFileSync('/etc/passwd'));
attempt('write', () => Deno.writeTextFileSync('/workspace/x', ''));
attempt('home', () => Deno.writeTextFileSync('/home/sandbox/x', ''));
attempt('env', () => Deno.env.get('HOME'));
attempt('run', () => new Deno.Command('true').outputSync());
attempt('net', () => Deno.listen({ port: 0 }));
attempt('ffi', () => Deno.dlopen('libc.so.6', {}));
console.log(allowed.join());`;
  expect(await session.prints(code)).toBe('\n');
});

test('permissions are Deno’s alone', async () => {
  const config = { language: 'javascript', runtimeType: 'Bun', permissions: {} };
  await expect(TestSession.open(server.wsUrl, config)).rejects.toMatchObject({
    data: { code: 'NOT_SUPPORTED' },
  });
  await using session = await TestSession.open(server.wsUrl, { language: 'javascript', permissions: {} });
  expect(session.info.runtimeType).toBe('Deno');
});
