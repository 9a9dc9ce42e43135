import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NpmRegistryServer, published } from '../support/npm-registry.ts';
import { runOnce } from '../support/rest-client.ts';
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
