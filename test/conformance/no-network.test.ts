import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { compiled, runtimes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** Programs that would download something, by hand in a shell, beside npm and pip (package-managers.test.ts). */
const server = inject('server');
const NOTICE =
  /(?:There is no network in this sandbox, so|Where there is no network in this sandbox,) nothing can be downloaded.* Packages come with/;
const DOWNLOADS = [
  'bun add left-pad',
  'bun install left-pad',
  'bun x cowsay',
  'bunx cowsay',
  'deno add npm:left-pad',
  'deno install -g npm:cowsay',
  'deno run -A npm:cowsay',
  'deno run --allow-net https://example.com/a.ts',
  'go get example.com/x',
  'go run example.com/x@latest',
  'pip3 install cowsay',
  'dotnet add package x',
  'dotnet tool install x',
];
/** What fails, or does not, for reasons of its own. */
const OTHERS = [
  ['bun fails.ts', 'bun', 3],
  ['bun run fails.ts', 'bun', 3],
  ['deno run --quiet fails.ts', 'deno', 3],
  ['go run none.go', 'go', 1],
  ['dotnet restore', 'dotnet', 0],
] as const;

const cells = [...(await runtimes()), ...(await compiled())];
/** All local sandboxes but those for Go show the same. */
const kinds = cells.filter(
  ({ runtimeType }) => ['Docker', 'Go'].includes(runtimeType) || runtimeType === cells[0]?.runtimeType,
);

describe.concurrent.for(kinds)('in a shell of $name', ({ language, runtimeType }) => {
  test('what downloads fails and says why, and what does not is as ever', async ({ expect }) => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const run = (line: string) => session.shell('sh', ['-c', line], { timeout: 25 });
    const names = [...new Set(DOWNLOADS.map(line => line.split(' ')[0]!))];
    const { stdout } = await run(`for name in ${names.join(' ')}; do command -v $name; done; exit 0`);
    const present = stdout.split('\n').map((path: string) => path.split('/').at(-1));
    await session.done('write_file', { path: 'fails.ts', content: 'process.exit(3)' });
    for (const line of DOWNLOADS.filter(each => present.includes(each.split(' ')[0]))) {
      const end = await run(line);
      expect({ line, outcome: end.outcome }).toEqual({ line, outcome: 'nonzero_exit' });
      expect((end.stdout + end.stderr).replaceAll('\n', ' '), line).toMatch(NOTICE);
      // Bun counts its tries.
      if (line === 'bun add left-pad') expect(end.stderr + end.stdout).toContain('extracted [1]');
    }
    for (const [line, name, exitCode] of OTHERS.filter(([, each]) => present.includes(each))) {
      const end = await run(line);
      expect({ line, exitCode: end.exitCode }).toEqual({ line, exitCode });
      expect(end.stdout + end.stderr, line).not.toMatch(/no network/);
      expect(present).toContain(name);
    }
  });
});

test('an interpreter that stands behind a script is found by its own programs', async () => {
  for (const runtimeType of (await runtimes()).map(each => each.runtimeType)) {
    if (!['Bun', 'Deno'].includes(runtimeType)) continue;
    await using session = await TestSession.open(server.wsUrl, { language: 'javascript', runtimeType });
    const code = `
      import { execFileSync } from 'node:child_process';
      const flag = ['${runtimeType === 'Bun' ? '-e' : 'eval'}', 'console.log(6 * 7)'];
      console.log(execFileSync(process.execPath, flag).toString().trim(), execFileSync('${runtimeType.toLowerCase()}', flag).toString().trim());`;
    expect(await session.prints(code), runtimeType).toBe('42 42\n');
  }
});
