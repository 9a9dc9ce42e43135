import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NpmRegistryServer, published } from '../support/npm-registry.ts';
import { runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** Whole installs from a registry of the test's, whose packages are out to do harm; what they would do is to leave a mark. */
let registry: NpmRegistryServer;
let server: RunningServer;

beforeAll(async () => {
  registry = await NpmRegistryServer.start();
  const env = { CODEBEAKER_INDEX_NODE: registry.url, CODEBEAKER_RUNTIMES: 'Bun' };
  server = await startServer({ env });
});
afterAll(async () => {
  await server.stop();
  await registry[Symbol.asyncDispose]();
});

const run = (packages: string[], code = 'console.log("ran")') =>
  runOnce(server.url, { language: 'javascript', code, config: { packages } });

test('no script of a package runs, and none shadows what is built in', async () => {
  const leaves = (name: string) => `node -e "require('fs').writeFileSync('${name}','')"; sleep 600`;
  const scripts = Object.fromEntries(
    ['preinstall', 'install', 'postinstall', 'prepare'].map(name => [name, leaves(name)]),
  );
  const manifest = { scripts, hasInstallScript: true, bin: { tricky: 'cli.js', fs: 'cli.js' } };
  registry.add(
    await published('fs', '1.0.0', { 'index.js': 'console.log("shadowed")' }),
    await published(
      'tricky',
      '1.0.0',
      {
        'index.js': 'console.log(require("fs").readdirSync(__dirname).sort().join())',
        'cli.js': '#!/usr/bin/env node\nconsole.log("cli")',
        'binding.gyp': '{}',
        'bunfig.toml': 'telemetry = true',
        '.npmrc': 'ignore-scripts=false',
      },
      { manifest: { ...manifest, dependencies: { fs: '*' }, trustedDependencies: ['tricky'] } },
    ),
  );
  const code = `require('tricky'); console.log(require('child_process').execSync('tricky').toString(), typeof require('fs').statSync)`;
  expect(await run(['tricky'], code)).toMatchObject({
    stdout: '.npmrc,binding.gyp,bunfig.toml,cli.js,index.js,package.json\ncli\n function\n',
    stderr: '',
  });
});

describe('an install fails, and its program never starts,', () => {
  test.for<[string, string, string]>([
    ['when a package needs another from a place', 'needy', 'denied'],
    ['when a registry sends other bytes than it named', 'flipped', 'digest'],
    ['when there is no such version', 'needy@2', 'not_found'],
  ])('%s', async ([, name, reason]) => {
    const dependencies = { other: 'https://192.0.2.1/other.tgz' };
    const flipped = await published('flipped', '1.0.0', { 'index.js': '' });
    const answer: typeof flipped.answer = (_, response) =>
      response.end(Buffer.concat([flipped.content, Buffer.from('!')]));
    registry.add(await published('needy', '1.0.0', {}, { manifest: { dependencies } }), {
      ...flipped,
      answer,
    });
    const end = await run([name]);
    expect(end).toMatchObject({ status: 'failed', outcome: 'install_error', stdout: '', startedAt: null });
    expect(end.stderr).toContain(`(${reason})`);
  });

  test('when an archive has more files than a sandbox', async () => {
    const entries = Array.from(
      { length: 70_000 },
      (_, i) => [{ name: `package/${i}` }, ''] satisfies [object, string],
    );
    registry.add(await published('crowd', '1.0.0', {}, { entries }));
    const end = await run(['crowd']);
    expect(end).toMatchObject({ outcome: 'install_error', stdout: '', startedAt: null });
    expect(end.stderr).toContain('(too_large)');
  });
});

test('what an archive has beside plain files is nowhere: links out, devices, names that lead elsewhere', async () => {
  const mark = `codebeaker-mark-${process.pid}`;
  registry.add(
    await published(
      'climber',
      '1.0.0',
      { 'index.js': '' },
      {
        entries: [
          [{ name: `package/../../../../../tmp/${mark}` }, 'x'],
          [{ name: 'package/out', type: 'symlink', linkname: '/etc/passwd' }],
          [{ name: 'package/up', type: 'symlink', linkname: '../../../../../etc' }],
          [{ name: 'package/hard', type: 'link', linkname: '/etc/passwd' }],
          [{ name: 'package/null', type: 'character-device', devmajor: 1, devminor: 3 }],
          [{ name: 'package/pipe', type: 'fifo' }],
          [{ name: 'package/root.js', mode: 0o4755 }, 'x'],
        ],
      },
    ),
  );
  const end = await run(
    ['climber'],
    `require('climber'); const fs = require('fs'); const at = '/node_modules/climber';
     console.log(fs.readdirSync(at).filter(name => !fs.lstatSync(at + '/' + name).isFile()).join(), fs.readdirSync('/tmp').join())`,
  );
  expect(end).toMatchObject({ stdout: ' \n', stderr: '' });
  expect(existsSync(join('/tmp', mark))).toBe(false);
});

describe('a list of what lists within it came to', () => {
  /** Its module tells its version and what it finds of those that it needs. */
  const needing = (name: string, version = '1.0.0', dependencies: Record<string, string> = {}) => {
    const found = Object.keys(dependencies).map(each => `require('${each}')`);
    const index = `module.exports = [${[`'${version}'`, ...found]}].join(' with ')`;
    return published(name, version, { 'index.js': index }, { manifest: { dependencies } });
  };
  const told = (...names: string[]) => `console.log([${names.map(name => `require('${name}')`)}].join())`;
  /** What a program prints, and for how much the registry was asked: here it lets no page be kept. */
  const asking = async (list: string[], code: string) => {
    const before = registry.asked.length;
    const { stdout, stderr } = await run(list, code);
    return [stdout.trim() + stderr, new Set(registry.asked.slice(before)).size];
  };

  test('is put together of that, also in other words; the registry is asked for the rest alone', async () => {
    registry.add(await needing('base'));
    for (const name of ['one', 'two', 'third']) registry.add(await needing(name, '1.0.0', { base: '*' }));
    for (const name of ['one', 'two@1']) await run([name]);
    const both = told('one', 'two', 'base');
    expect(await asking(['one', 'two@1'], both)).toEqual(['1.0.0 with 1.0.0,1.0.0 with 1.0.0,1.0.0', 0]);
    const links = `console.log(require('fs').statSync('/node_modules/base/index.js').nlink)`;
    expect(await asking(['one@^1', 'two@1'], links)).toEqual(['2', 0]);
    const [printed, asked] = await asking(['one', 'two@1', 'third'], told('third'));
    expect([printed, asked]).toEqual(['1.0.0 with 1.0.0', 3]);
  });

  test('is a layer already, whatever its words, where it comes to the same versions now', async () => {
    registry.add(await needing('dep'), await needing('lead', '1.0.0', { dep: '*' }));
    await using session = await TestSession.open(server.wsUrl, { language: 'javascript' });
    const asked = (packages: string[]) => session.done('install_packages', { packages });
    const { layer } = await asked(['lead@^1.0.0']);
    const before = registry.asked.length;
    for (const words of ['1 || 7', '1.0.0'])
      expect(await asked([`lead@${words}`])).toMatchObject({ cached: true, layer });
    // What was resolved a moment ago is what its page alone says that it is.
    expect(registry.asked.slice(before).every(path => path.endsWith('/lead'))).toBe(true);
    // What an install's lockfile says finds its layer for its own list again, and for no other.
    const both = await asked(['lead@1 || 6', 'dep@1 || 7']);
    expect(both).toMatchObject({ cached: false, installed: [{ name: 'dep' }, { name: 'lead' }] });
    registry.add(await needing('dep', '1.1.0'), await needing('lead', '1.1.0', { dep: '*' }));
    const other = await asked(['lead@1 || 8']);
    expect(other.layer).not.toBe(layer);
    expect(await session.prints(told('lead'))).toBe('1.1.0 with 1.1.0\n');
  });

  test('is what they come to together where they do not agree, or the registry has changed what it has', async () => {
    registry.add(await needing('lib'), await needing('lib', '2.0.0'));
    registry.add(await needing('needs-old', '1.0.0', { lib: '1' }));
    for (const name of ['needs-old', 'lib@2']) await run([name]);
    const [printed, asked] = await asking(['needs-old', 'lib@2'], told('needs-old', 'lib'));
    expect([printed, asked]).toEqual(['1.0.0 with 1.0.0,2.0.0', expect.not.toSatisfy(count => count === 0)]);
    // What one needs as a peer is what the list has.
    const peer = { manifest: { peerDependencies: { lib: '*' } } };
    registry.add(
      await published('peer', '1.0.0', { 'index.js': `module.exports = 'with ' + require('lib')` }, peer),
    );
    await run(['peer']);
    const peers = await asking(['peer', 'needs-old'], told('peer', 'needs-old'));
    expect(peers).toEqual(['with 1.0.0,1.0.0 with 1.0.0', expect.not.toSatisfy(count => count === 0)]);

    for (const name of ['early', 'late']) registry.add(await needing(name, '1.0.0', { moved: '1' }));
    for (const [name, content] of [
      ['early', 'before'],
      ['late', 'after'],
    ] as const) {
      registry.withdraw('moved');
      registry.add(await published('moved', '1.0.0', { 'index.js': `module.exports = '${content}'` }));
      await run([name]);
    }
    const changed = await asking(['early', 'late'], told('early', 'late', 'moved'));
    expect(changed[0]).toBe('1.0.0 with after,1.0.0 with after,after');
  });

  test('has of each package what that brings, whatever others have of its name', async () => {
    const evil = {
      'index.js': '',
      'node_modules/plain/index.js': 'module.exports = "evil"',
      'node_modules/plain/package.json': '{"name":"plain","version":"1.0.0"}',
    };
    registry.add(
      await needing('plain'),
      await published('evil', '1.0.0', evil, { manifest: { bundleDependencies: ['plain'] } }),
    );
    for (const name of ['left', 'right'])
      registry.add(
        await published(name, '1.0.0', { 'cli.js': '' }, { manifest: { bin: { tool: 'cli.js' } } }),
      );
    for (const name of ['evil', 'plain', 'left', 'right']) await run([name]);
    expect(await asking(['evil', 'plain'], told('plain'))).toEqual(['1.0.0', 0]);
    expect((await asking(['left', 'right'], told()))[1]).toBeGreaterThan(0);
  });
});

test('what a registry failed to send is there for who asks again, in the same words or others, also beside what is there', async () => {
  let fails = true;
  const native = await published('native', '1.0.0', { 'index.js': '' }, { manifest: { os: ['linux'] } });
  const answer: typeof native.answer = (_, response) =>
    fails ? response.writeHead(500).end() : response.end(native.content);
  const optionalDependencies = { native: '1.0.0' };
  registry.add(await published('pure', '1.0.0', { 'index.js': '' }, { manifest: { optionalDependencies } }), {
    ...native,
    answer,
  });
  const code = `try { require('native'); console.log('there'); } catch { console.log('not there'); }`;
  registry.add(await published('beside', '1.0.0', { 'index.js': '' }));
  await run(['beside@1.0.0']);
  const lists = [['beside@1.0.0', 'pure@1.0.0'], ['pure@1.0.0'], ['pure@>=1']];
  for (const list of lists.slice(0, 2))
    expect(await run(list, code)).toMatchObject({ stdout: 'not there\n' });
  fails = false;
  for (const list of lists) expect(await run(list, code)).toMatchObject({ stdout: 'there\n' });
  const before = registry.asked.length;
  for (const list of lists.slice(0, 2)) expect(await run(list, code)).toMatchObject({ stdout: 'there\n' });
  expect(registry.asked.length).toBe(before);
});
