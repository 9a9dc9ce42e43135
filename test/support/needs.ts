import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'vitest';

/** Debian's library that shifts a process's clock; for the same architecture as this. */
export const FAKETIME = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketimeMT.so.1`;

/** What a machine may lack, how to see it, and what brings it. */
const THINGS = {
  chromium: { found: () => chromium() !== undefined, cure: 'apt-get install chromium' },
  'python websockets': {
    found: () => spawnSync('/usr/bin/python3', ['-c', 'import websockets']).status === 0,
    cure: 'apt-get install python3-websockets',
  },
  matplotlib: {
    found: () => spawnSync('/usr/bin/python3', ['-c', 'import matplotlib']).status === 0,
    cure: 'apt-get install python3-matplotlib',
  },
  "matplotlib for our images' Python": {
    found: () =>
      spawnSync('/usr/bin/python3', ['-c', 'import matplotlib, sys; assert sys.version_info[:2] == (3, 11)'])
        .status === 0,
    cure: 'apt-get install python3-matplotlib, on Debian 12 as in the images',
  },
  vim: { found: () => spawnSync('vim', ['--version']).status === 0, cure: 'apt-get install vim' },
  less: { found: () => spawnSync('less', ['--version']).status === 0, cure: 'apt-get install less' },
  top: { found: () => spawnSync('top', ['-v']).status === 0, cure: 'apt-get install procps' },
  curl: { found: () => spawnSync('curl', ['--version']).status === 0, cure: 'apt-get install curl' },
  'docker engine': {
    found: () =>
      spawnSync('curl', ['-sf', '--unix-socket', '/var/run/docker.sock', 'http://engine/_ping']).status === 0,
    cure: 'apt-get install docker.io, and start it',
  },
  'musl-gcc': {
    found: () => spawnSync('musl-gcc', ['--version']).status === 0,
    cure: 'apt-get install musl-tools',
  },
  dockerd: {
    found: () => spawnSync('dockerd', ['--version']).status === 0,
    cure: 'apt-get install docker.io',
  },
  faketime: { found: () => existsSync(FAKETIME), cure: 'apt-get install faketime' },
  schemathesis: {
    found: () => spawnSync('schemathesis', ['--version']).status === 0,
    cure: 'pipx install schemathesis',
  },
  root: { found: () => process.getuid?.() === 0, cure: 'run the tests as root' },
} as const;

const known = new Map<keyof typeof THINGS, boolean>();

/** Looked for once by each worker: some are programs that take a second to say their version. */
function isHere(name: keyof typeof THINGS): boolean {
  const found = known.get(name) ?? THINGS[name].found();
  known.set(name, found);
  return found;
}

/** `test`, or where the machine lacks something, a test that is skipped and says why. */
export function needs(...names: (keyof typeof THINGS)[]): typeof test | typeof test.skip {
  const missing = names.filter(name => !isHere(name));
  if (missing.length === 0) return test;
  for (const name of missing) console.warn(`skipping tests that need ${name} (${THINGS[name].cure})`);
  return test.skip;
}

let browser: string | undefined;

/** Path of a Chromium that can run without a screen. */
export function chromium(): string | undefined {
  const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'];
  browser ??= names.find(name => spawnSync(name, ['--version']).status === 0);
  return browser;
}
