import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { type Cell, runtimes, sandboxes } from '../support/matrix.ts';
import { runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';
import { attack, FIND_SOCKET, probe, serverIsWell } from './probe.ts';

/** The agent shares the sandbox with the program and its uid; the program still gets nothing of it. */
const server = inject('server');

const openOn = ({ language, runtimeType }: Cell) => lentSession(server.wsUrl, { language, runtimeType });

describe.for(await runtimes())('a program in $name', cell => {
  const open = () => openOn(cell);

  test('reads neither the agent’s memory nor its descriptors, environment or maps', async () => {
    const seen = await probe(
      cell,
      `
print(json.dumps({
  'mem': attempt(lambda: open('/proc/1/mem', 'rb').read(1) and 'read'),
  'write': attempt(lambda: open('/proc/1/mem', 'r+b') and 'open'),
  'fd': attempt(lambda: os.listdir('/proc/1/fd')),
  'fd0': attempt(lambda: open('/proc/1/fd/0', 'wb') and 'open'),
  'fd1': attempt(lambda: open('/proc/1/fd/1', 'wb') and 'open'),
  'environ': attempt(lambda: text('/proc/1/environ')),
  'maps': attempt(lambda: text('/proc/1/maps')),
  'root': attempt(lambda: os.listdir('/proc/1/root')),
  'cwd': attempt(lambda: os.readlink('/proc/1/cwd')),
  'limits': attempt(lambda: __import__('resource').prlimit(1, 0, (1, 1))),
  'pidfd': attempt(lambda: os.pidfd_open(1) and 'open'),
}))`,
    );
    const { pidfd, ...rest } = seen;
    expect(['open', 'EPERM', 'ENOSYS']).toContain(pidfd);
    for (const [name, answer] of Object.entries(rest)) expect(['EACCES', 'EPERM'], name).toContain(answer);
  });

  test('inherits no descriptor but its three, and none of them is a socket', async () => {
    const seen: [string, string][] = await probe(
      cell,
      `print(json.dumps([[fd, attempt(lambda: os.readlink('/proc/self/fd/' + fd))] for fd in os.listdir('/proc/self/fd')]))`,
    );
    const kept = seen.filter(
      ([fd, target]) => Number(fd) > 2 && target !== 'ENOENT' && !target.endsWith('/probe.py'),
    );
    expect(kept).toEqual([]);
    for (const [, target] of seen) expect(target).not.toMatch(/^socket:/);
  });

  test('speaks to nobody when it writes frames into every descriptor it can open', async () => {
    const end = await attack(
      cell,
      `
frame = struct.pack('<IBI', 5 + 24, 70, 1) + b'{"code":0,"signal":null}'
for fd in range(0, 64): attempt(lambda: os.write(fd, frame))
for path in glob.glob('/proc/[0-9]*/fd/*'): attempt(lambda: open(path, 'wb', 0).write(frame))
os._exit(9)`,
    );
    // An interpreter that started it may have been hurt by what was written to its own descriptors.
    expect([9, null]).toContain(end.exitCode);
    expect(['nonzero_exit', 'signalled']).toContain(end.outcome);
  });

  test('kills all but the agent with kill -9 -1, and only its own run ends', async () => {
    const end = await attack(cell, `os.kill(-1, 9); print('still here'); os._exit(0)`);
    expect(['ok', 'signalled', 'nonzero_exit']).toContain(end.outcome);
    await using session = await open();
    await session.command('execute_shell', { commandName: 'sh', args: ['-c', 'kill -9 -1'] });
    expect((await session.shell('echo', ['alive'])).stdout).toBe('alive\n');
    await session.cell('1 + 1');
    expect((await session.done('execute_code', { code: '1 + 1' })).results).toMatchObject([
      { 'text/plain': '2' },
    ]);
  });

  test('gains nothing over others by forging its kernel’s messages', async () => {
    await using session = await open();
    await using other = await open();
    const python = cell.dialect === 'python';
    for (const message of [
      '{"cell":1,"done":true,"error":null}\\n',
      '{"cell":999999,"done":true,"error":null}\\n',
      'not json\\n',
      '{"cell":{},"done":"yes","error":[]}\\n',
      '{"ready":true}\\n',
    ]) {
      const code = python
        ? `${FIND_SOCKET}\nopen('pid', 'w').write(str(os.getpid()))\nrecord = os.open('forged', os.O_WRONLY | os.O_CREAT)\nos.write(record, b'%d' % os.write(F, b'${message}' * 3))`
        : `require('fs').writeSync(3, '${message}'.repeat(3)); console.log('forged')`;
      await session.cell(code, { timeout: 5 });
      if (python) {
        const length = 3 * message.replace('\\n', '\n').length;
        // A forged end is believed at once, while the program goes on. A line that breaks the protocol, as the second end of
        // one cell does, has the service kill the interpreter, often before the program could write down that it was sent.
        const heard = `[ -s pid ] && { [ "$(cat forged)" = ${length} ] || ! kill -0 "$(cat pid)"; }`;
        await expect
          .poll(async () => (await session.shell('sh', ['-c', heard])).exitCode, { timeout: 60_000 })
          .toBe(0);
        await session.shell('rm', ['-f', 'forged', 'pid']);
      }
      expect((await other.done('execute_code', { code: '40 + 2' })).results).toMatchObject([
        { 'text/plain': '42' },
      ]);
    }
    const flood = python
      ? `${FIND_SOCKET}\nwhile True: os.write(F, b'x' * 65536)`
      : `const s = require('fs'); for (;;) s.writeSync(3, 'x'.repeat(65536))`;
    expect((await session.cell(flood, { timeout: 10 })).success).toBe(false);
    // Whatever it has done to its own interpreter, a restart mends it.
    await session.done('restart_context');
    expect((await session.done('execute_code', { code: '40 + 2' })).results).toMatchObject([
      { 'text/plain': '42' },
    ]);
    await serverIsWell();
  });
});

describe.for(await sandboxes())('a program beside the agent in $name', cell => {
  const open = () => openOn(cell);

  test('does not end the agent with any signal', async () => {
    await using session = await open();
    const script =
      'import os\nfor s in range(1, 65):\n  try: os.kill(1, s)\n  except OSError: pass\nprint("sent")';
    expect((await session.shell('python3', ['-c', script])).stdout).toBe('sent\n');
    expect((await session.shell('echo', ['alive'])).stdout).toBe('alive\n');
  });

  test('gives the agent no lower rank, so that limits strike in time', async () => {
    await using session = await open();
    const script = `
import os
idle = os.sched_param(0)
def attempt(work):
    try: work(); return 'done'
    except OSError as problem: return type(problem).__name__
print([attempt(work) for work in (
  lambda: os.sched_setscheduler(1, os.SCHED_IDLE, idle), lambda: os.sched_setparam(1, idle), lambda: os.sched_setaffinity(1, {0}),
  lambda: os.setpriority(os.PRIO_PROCESS, 1, 19), lambda: os.setpriority(os.PRIO_PGRP, 1, 19), lambda: os.setpriority(os.PRIO_USER, 0, 19),
)], [attempt(work) for work in (
  lambda: os.sched_setscheduler(0, os.SCHED_BATCH, idle), lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)), lambda: os.setpriority(os.PRIO_PROCESS, 0, 19),
)])`;
    const { stdout } = await session.shell('python3', ['-c', script]);
    expect(stdout.replaceAll(/PermissionError|OSError/g, 'refused')).toBe(
      "['refused', 'refused', 'refused', 'refused', 'refused', 'refused'] ['done', 'done', 'done']\n",
    );
  });

  test('loses no more than its own session by making itself as hard to kill as the agent', async () => {
    const { language, runtimeType } = cell;
    const session = await TestSession.open(server.wsUrl, { language, runtimeType, memoryLimitMB: 128 });
    await using other = await open();
    const script = `
import os
for pid in [p for p in os.listdir('/proc') if p.isdigit()]:
    for adj in ('-1000', '-500', '0'):
        try: open(f'/proc/{pid}/oom_score_adj', 'w').write(adj)
        except OSError: pass
while True:
    if os.fork() == 0: held = [b'x' * (1 << 20) for _ in range(40)]; os.pause() if hasattr(os, 'pause') else __import__('time').sleep(60)`;
    const end = await session.shell('python3', ['-c', script], { timeout: 2 });
    expect(['memory_limit', 'wall_timeout', 'cpu_timeout']).toContain(end.outcome);
    expect((await other.shell('echo', ['alive'])).stdout).toBe('alive\n');
    await serverIsWell();
  });
});

test('JavaScript inherits no socket either', async () => {
  const code = `
import { readdirSync, readlinkSync, writeSync } from 'node:fs';
const targets = readdirSync('/proc/self/fd').flatMap(fd => { try { return [readlinkSync('/proc/self/fd/' + fd)] } catch { return [] } });
for (let fd = 3; fd < 64; fd++) try { writeSync(fd, 'x') } catch {}
console.log(targets.filter(t => t.startsWith('socket:')).length);
process.exit(0);`;
  expect(await runOnce(server.url, { language: 'javascript', code })).toMatchObject({ stdout: '0\n' });
});
