import { describe, expect, inject, test } from 'vitest';
import { matrix } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';

/**
 * Packages from the registry that this machine's own npm uses: tiny ones, of which one is CommonJS and needs another, one is an ES
 * module, one has a scope and subpaths, and one has a program.
 */
const { url, wsUrl } = inject('server');
const PACKAGES = ['is-odd@3.0.1', 'yocto-queue@1.1.1', '@sindresorhus/is@7', 'which@5'];
const ODD = 'console.log(require("is-odd")(3))';

const rows = (await matrix()).filter(({ dialect }) => dialect === 'javascript');

describe.each(rows)('packages of npm in $name', ({ language, runtimeType }) => {
  const where = { language, runtimeType };

  test('are there for a program, with types that nobody reads', async () => {
    const typed = language === 'typescript' ? ': number' : '';
    const code = `
import Queue from 'yocto-queue';
import isOdd from 'is-odd';
import is from '@sindresorhus/is';
const three${typed} = 3;
const queue = new Queue();
queue.enqueue(isOdd(three));
console.log([...queue], is(three), typeof (await import('is-number')).default);`;
    const end = await runOnce(url, { ...where, code, config: { packages: PACKAGES } });
    expect(end).toMatchObject({ status: 'completed', stderr: '', outcome: 'ok' });
    expect(end.stdout.replace(/\s+/g, ' ')).toBe('[ true ] number function ');
  });
});

describe.each(rows.filter(({ language }) => language === 'javascript'))(
  'packages of npm in a session of $name',
  ({ language, runtimeType }) => {
    const where = { language, runtimeType };

    test('are there for cells, shells and what they start, also where they were looked for before', async () => {
      await using session = await TestSession.open(wsUrl, where);
      await session.done('write_file', {
        path: 'odd.mjs',
        content:
          'import is from "@sindresorhus/is"; import odd from "is-odd"; export default [is(1), odd(1)];',
      });
      const LOCAL = 'console.log((await import("./odd.mjs")).default.join())';
      for (const code of [ODD, 'await import("@sindresorhus/is")', LOCAL])
        expect((await session.cell(code)).success).toBe(false);
      const before = await session.done('list_directory', { path: '.' });
      const answer = await session.command('install_packages', { packages: PACKAGES });
      expect(answer).toMatchObject({ success: true, result: { manager: 'bun', restartNeeded: [] } });
      const told = Object.fromEntries(
        answer.result.installed.map(({ name, version }: Record<string, string>) => [name, version]),
      );
      expect(told).toMatchObject({ 'is-odd': '3.0.1', 'is-number': '6.0.0', 'yocto-queue': '1.1.1' });
      for (const { digest, bytes } of answer.result.installed) {
        expect(digest).toMatch(/^sha512:[0-9a-f]{128}$/);
        expect(bytes).toBeGreaterThan(1000);
      }
      expect(await session.prints(ODD)).toBe('true\n');
      expect(await session.prints('import is from "@sindresorhus/is"; console.log(is(1))')).toBe('number\n');
      expect(await session.prints(LOCAL)).toBe('number,true\n');
      expect(await session.prints(ODD, { context: 'another' })).toBe('true\n');
      // Deno by hand finds them by an option of its own.
      const program = {
        Bun: 'bun',
        NodeJs: 'node',
        Docker: 'node',
        Deno: 'deno run --node-modules-dir=manual',
      };
      const run = `${program[runtimeType as keyof typeof program]} odd.mjs`;
      expect((await session.shell('sh', ['-c', run])).exitCode).toBe(0);
      expect((await session.shell('sh', ['-c', 'command -v node-which'])).stdout).toBe(
        '/home/sandbox/.packages/node_modules/.bin/node-which\n',
      );
      if (runtimeType !== 'Deno')
        expect(await session.prints('console.log(process.env.PATH.split(":")[0])')).toBe(
          '/home/sandbox/.packages/node_modules/.bin\n',
        );
      expect(await session.done('list_directory', { path: '.' })).toEqual(before);
      // What a project has itself wins, and a package.json is a list too.
      await session.done('write_file', {
        path: 'node_modules/is-number/index.js',
        content: 'module.exports = "own"',
      });
      expect(await session.prints('console.log(require("is-number"))', { context: 'third' })).toBe('own\n');
      await session.done('write_file', {
        path: 'package.json',
        content: JSON.stringify({
          dependencies: { 'is-odd': '^3.0.0' },
          devDependencies: { 'is-even': '1' },
        }),
      });
      await session.done('install_packages', { requirementsFile: 'package.json', manager: 'npm' });
      expect(await session.prints('console.log(require("is-even")(2))')).toBe('true\n');
      const failed = await session.command('install_packages', { packages: ['is-odd@99'] });
      expect(failed).toMatchObject({ success: false, result: { reason: 'not_found' } });
      expect(await session.prints(ODD)).toBe('true\n');
    });
  },
);

test('packages of npm are there in a session of Python for cells of JavaScript', async () => {
  await using session = await TestSession.open(wsUrl, { language: 'python', runtimeType: 'Python' });
  const more = { language: 'javascript', packages: PACKAGES };
  expect(await session.prints(ODD, more)).toBe('true\n');
  expect((await session.shell('node', ['-e', ODD])).stdout).toBe('true\n');
  const odd = await session.client.refused('session.execute', {
    sessionId: session.id,
    command: { type: 'install_packages', packages: ['six'], manager: 'cargo' },
  });
  expect(odd.data).toMatchObject({ code: 'NOT_SUPPORTED', field: 'command.manager' });
});
