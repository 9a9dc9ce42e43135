import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { HostNames, nameHosts } from '../../../src/runtimes/docker/host-names.ts';

const ROOT = "import os, sys, time; os.chroot(sys.argv[1]); print('there', flush=True); time.sleep(600)";
/** Says how much there is to be told of a queue that it reads: that a writer has been there, such as one who has looked at what it is. */
const QUEUE =
  "import os, select, sys; q = os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK); print('open', flush=True); sys.stdin.read(); p = select.poll(); p.register(q); print(len(p.poll(0)))";

test('the names are written into an empty file of the process’s own root, past no link, and nowhere else', async () => {
  const there = mkdtempSync(join(tmpdir(), 'codebeaker-names-'));
  const [root, other, elsewhere] = ['root', 'other', 'elsewhere'].map(name => join(there, name)) as [
    string,
    string,
    string,
  ];
  const hosts = join(root, 'etc/hosts');
  const empty = (path: string) => {
    mkdirSync(join(path, 'etc'), { recursive: true });
    writeFileSync(join(path, 'etc/hosts'), '');
  };
  for (const path of [root, other, elsewhere]) empty(path);
  symlinkSync(root, join(there, 'link'));
  const child = spawn('python3', ['-c', ROOT, root], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    const named = (make: () => void, says: string | null = root) => {
      rmSync(join(root, 'etc'), { recursive: true });
      empty(root);
      make();
      return nameHosts(says ?? undefined, child.pid!);
    };
    const elsewhereOrNowhere = {
      'another directory': named(() => {}, other),
      'a link to its own': named(() => {}, join(there, 'link')),
      'no directory': named(() => {}, null),
    };
    expect(Object.entries(elsewhereOrNowhere).filter(([, written]) => written !== null)).toEqual([]);
    const refused = {
      'a linked file': named(() => {
        rmSync(hosts);
        symlinkSync(join(elsewhere, 'etc/hosts'), hosts);
      }),
      'a linked directory': named(() => {
        rmSync(join(root, 'etc'), { recursive: true });
        symlinkSync(join(elsewhere, 'etc'), join(root, 'etc'));
      }),
      'a queue': named(() => {
        rmSync(hosts);
        execFileSync('mkfifo', [hosts]);
      }),
      'what is in it': named(() => writeFileSync(hosts, '10.0.0.1 other\n')),
    };
    expect(Object.entries(refused).filter(([, written]) => written !== false)).toEqual([]);
    expect(readFileSync(hosts, 'utf8')).toBe('10.0.0.1 other\n');
    const names = new HostNames();
    expect(names.give('unfit', root, child.pid!)).toBe(false);
    expect(['unfit', 'fit'].map(image => names.fromEngine(image))).toEqual([true, false]);
    expect(names.give('fit', other, child.pid!)).toBe(false);
    expect(names.fromEngine('any')).toBe(true);
    for (const path of [other, elsewhere]) expect(lstatSync(join(path, 'etc/hosts')).size).toBe(0);
    rmSync(hosts);
    execFileSync('mkfifo', [hosts]);
    const reader = spawn('python3', ['-c', QUEUE, hosts], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(reader.stdout, 'data');
    expect(nameHosts(root, child.pid!)).toBe(false);
    reader.stdin.end();
    expect((await text(reader.stdout)).trim()).toBe('0');
    expect(named(() => {})).toBe(true);
    expect(readFileSync(hosts, 'utf8')).toBe('127.0.0.1 localhost\n127.0.1.1 sandbox\n');
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
    rmSync(there, { recursive: true });
  }
});
