import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { compiled } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';

/** What students of Go meet first, in programs and cells. */
const server = inject('server');
const cells = (await compiled()).filter(({ language }) => language === 'go');

describe.concurrent.for(cells)('Go on $runtimeType', ({ runtimeType }) => {
  const run = (code: string, files: object[] = []) =>
    runOnce(server.url, { language: 'go', runtimeType, code, files });

  test('a build tag excludes no file that is the program itself, or lies beside it', async ({ expect }) => {
    const tagged = '//go:build windows\n\npackage main\n';
    const end = await run(`${tagged}\nfunc main() { help() }`, [
      { path: 'help_darwin.go', content: `${tagged}\nimport "fmt"\n\nfunc help() { fmt.Println("here") }` },
    ]);
    expect(end).toMatchObject({ outcome: 'ok', stdout: 'here\n' });
  });

  test('a module that go.mod requires is not there, and that is explained', async ({ expect }) => {
    const content = 'module m\n\ngo 1.21\n\nrequire golang.org/x/text v0.14.0\n';
    const end = await run(
      'package main\nimport "golang.org/x/text/width"\nvar _ = width.Fold\nfunc main() {}',
      [{ path: 'go.mod', content }],
    );
    expect(end).toMatchObject({
      outcome: 'compile_error',
      stderr: expect.stringContaining('no network to download'),
    });
  });

  test('a cell is explained as a program is', async ({ expect }) => {
    await using session = await lentSession(server.wsUrl, { language: 'go', runtimeType });
    for (const [code, meaning] of [
      ['package tool\nfunc F() {}', '`package main` with a `func main`'],
      ['package main\nfunc hello() {}', 'begins with `func main()`'],
      ['package main\nimport "C"\nfunc main() {}', 'needs a C compiler'],
    ] as const) {
      const { result } = await session.cell(code);
      expect(result, code).toMatchObject({
        outcome: 'compile_error',
        stderr: expect.stringContaining(meaning),
      });
    }
  });
});

test('the language has one version, whatever is there to run it', async () => {
  const { version, runtimes } = (await (await fetch(`${server.url}/api/language/go`)).json()) as {
    version: string | null;
    runtimes: { available: boolean; version: string | null }[];
  };
  for (const each of runtimes.filter(({ available }) => available)) expect(each.version).toBe(version);
});
