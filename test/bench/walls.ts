import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { assembleFilter } from '../../src/seccomp/filter.ts';
import { runOnce } from '../support/rest-client.ts';
import { Bare } from './bare.ts';
import { against, type Figure, figure, interleaved } from './measure.ts';
import type { Setting } from './setting.ts';

const NAMESPACES = ['user', 'ipc', 'pid', 'net', 'uts', 'cgroup-try'].map(name => `--unshare-${name}`);
const SEEN = [
  '--ro-bind',
  '/',
  '/',
  '--proc',
  '/proc',
  '--dev',
  '/dev',
  '--tmpfs',
  '/tmp',
  '--cap-drop',
  'ALL',
];
/** Half a million system calls, which the filter looks at one by one, and prints how long they took, milliseconds. */
const CALLS = `
import os, time
start = time.perf_counter()
for _ in range(500_000): os.getppid()
print((time.perf_counter() - start) * 1000)`;

/** What each wall costs: at the start of a process, and while it runs. */
export async function walls(setting: Setting): Promise<Figure[]> {
  if (!setting.available.has('Python')) return [];
  setting.say('what the walls cost');
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const filter = join(directory, 'filter');
  writeFileSync(filter, assembleFilter(process.arch === 'arm64' ? 'arm64' : 'x64'));
  const start = new Bare();
  const filtered = 'exec 9< "$1"; shift; exec "$@"';
  const bubblewrap = ['bwrap', ...NAMESPACES, ...SEEN];
  try {
    const [bare, bwrap, seccomp] = await interleaved(setting.quick ? 10 : 50, [
      () => start.run('sh', '-c', filtered, 'sh', filter, 'true'),
      () => start.run('sh', '-c', filtered, 'sh', filter, ...bubblewrap, 'true'),
      () => start.run('sh', '-c', filtered, 'sh', filter, ...bubblewrap, '--seccomp', '9', 'true'),
    ]);
    const nothing = figure('walls', 'start of `true`: bare', 'ms', bare!);
    const rounds = setting.quick ? 3 : 10;
    const outside: number[] = [];
    const inside: number[] = [];
    for (let i = 0; i < rounds; i++) {
      outside.push(Number(await printed('/usr/bin/python3', '-c', CALLS)));
      const { stdout } = await runOnce(setting.server.url, {
        language: 'python',
        runtimeType: 'Python',
        code: CALLS,
      });
      inside.push(Number(stdout));
    }
    const free = figure('walls', '500 000 system calls of Python: bare', 'ms', outside);
    return [
      nothing,
      against(figure('walls', 'start of `true`: bubblewrap', 'ms', bwrap!), nothing),
      against(figure('walls', 'start of `true`: bubblewrap with the filter', 'ms', seccomp!), nothing),
      free,
      against(figure('walls', '500 000 system calls of Python: in a sandbox', 'ms', inside), free),
    ];
  } finally {
    start.close();
    rmSync(directory, { recursive: true });
  }
}

/** Resolves to what it prints. */
async function printed(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args);
  return stdout;
}
