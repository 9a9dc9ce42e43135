import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ModuleProxyServer, module, type PublishedModule } from '../support/module-proxy.ts';
import { runOnce } from '../support/rest-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** Whole installs from a module proxy of the test's, with a checksum database of its own; some of its modules are out to do harm. */
let proxy: ModuleProxyServer;
let server: RunningServer;
beforeAll(async () => {
  proxy = await ModuleProxyServer.start();
  const env = { ...proxy.env, CODEBEAKER_RUNTIMES: 'Go', CODEBEAKER_PACKAGES_DENY: 'denied.test/Denied' };
  server = await startServer({ env });
});
afterAll(async () => {
  await server.stop();
  await proxy[Symbol.asyncDispose]();
});

const source = (path: string, text: string) =>
  `package ${path.replace(/.*\//, '')}\n\nconst Text = "${text}"\n`;
const saying = (path: string, version: string, text: string, more: Parameters<typeof module>[3] = {}) =>
  module(path, version, { 'it.go': source(path, text) }, more);
const printing = (path: string) =>
  `package main\n\nimport (\n\t"fmt"\n\tit "${path}"\n)\n\nfunc main() { fmt.Println(it.Text) }\n`;
const run = (packages: string[], path = packages[0]!) =>
  runOnce(server.url, { language: 'go', code: printing(path), config: { packages } });

test('what a module needs comes with it in the version that it names, for all of its packages', async () => {
  const below = 'package below\n\nimport "needed.test/Needed/it"\n\nconst Text = "below " + it.Text\n';
  proxy.add(
    saying('needed.test/Needed/it', 'v1.0.1', 'what is needed'),
    saying('needed.test/Needed/it', 'v1.2.0', 'what is newer'),
    module(
      'deep.test/deep',
      'v0.3.0',
      { 'it.go': source('deep', 'deep'), 'below/it.go': below },
      { requires: { 'needed.test/Needed/it': 'v1.0.1' } },
    ),
  );
  expect(await run(['deep.test/deep'], 'deep.test/deep/below')).toMatchObject({
    stdout: 'below what is needed\n',
    stderr: '',
  });
});

test('a package may be named by its path, and a program’s own go.mod wins', async () => {
  const config = { packages: ['deep.test/deep/below@v0.3.0'] };
  const files = [
    { path: 'go.mod', content: 'module own\n\ngo 1.21\n' },
    { path: 'part/part.go', content: source('part', 'a part of its own') },
  ];
  const own = await runOnce(server.url, { language: 'go', code: printing('own/part'), files, config });
  expect(own).toMatchObject({ stdout: 'a part of its own\n' });
});

describe('an install fails, and its program never starts,', () => {
  const flipped = saying('flipped.test/flipped', 'v1.0.0', 'good');
  const marks = { 'climber.test/climber@v1.0.0/../../../../../tmp/go-climbed': 'x' };
  test.for<[string, string, PublishedModule, string]>([
    [
      'when a proxy sends other bytes than the database knows',
      'flipped.test/flipped',
      { ...flipped, content: saying('flipped.test/flipped', 'v1.0.0', 'evil').content },
      'A package is not what its checksum says (digest)',
    ],
    [
      'when a proxy sends no archive',
      'broken.test/broken',
      { ...saying('broken.test/broken', 'v1.0.0', ''), content: Buffer.from('no archive') },
      'A package is not what its checksum says (digest)',
    ],
    [
      'when an archive has a path that leads out',
      'climber.test/climber',
      saying('climber.test/climber', 'v1.0.0', '', { raw: marks }),
      'A package is not what its checksum says (digest)',
    ],
    [
      'when an archive has what is of another module',
      'other.test/other',
      saying('other.test/other', 'v1.0.0', '', { raw: { 'else.test/else@v1.0.0/it.go': 'x' } }),
      'A package is not what its checksum says (digest)',
    ],
    [
      'when a module needs a newer Go',
      'newer.test/newer',
      saying('newer.test/newer', 'v1.0.0', '', { go: '1.99' }),
      'requires go >= 1.99',
    ],
    [
      'when a version is not there',
      'deep.test/deep@v0.4.0',
      saying('any.test/any', 'v1.0.0', ''),
      'There is no deep.test/deep@v0.4.0 (not_found)',
    ],
    [
      'when the operator denies it',
      'denied.test/Denied',
      saying('denied.test/Denied', 'v1.0.0', ''),
      'does not allow denied.test/Denied (denied)',
    ],
  ])('%s', async ([, wanted, published, why]) => {
    proxy.add(published);
    const end = await run([wanted]);
    expect(end).toMatchObject({ status: 'failed', outcome: 'install_error', stdout: '', startedAt: null });
    expect(end.stderr).toContain(why);
    expect(existsSync('/tmp/go-climbed')).toBe(false);
  });
});

test('without its proxy what is installed stays, and what is not is refused', async () => {
  await proxy.close();
  const kept = await run(['deep.test/deep'], 'deep.test/deep');
  expect(kept).toMatchObject({ stdout: 'deep\n' });
  const missed = await run(['never.test/seen']);
  expect(missed).toMatchObject({ outcome: 'install_error' });
  expect(missed.stderr).toContain('(registry_unreachable)');
});
