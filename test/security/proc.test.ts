import { describe, expect, test } from 'vitest';
import { startedSandboxes } from '../support/matrix.ts';
import { probe } from './probe.ts';

/** /proc beside the directories of processes: the machine's. */
const nothing = (shown: unknown) => shown === 'ENOENT' || (shown as { length: number }).length === 0;

describe.for(await startedSandboxes())('to a program in $name /proc', cell => {
  test('opens nothing of the machine for writing, and hides what tells of its disks and interrupts', async () => {
    const seen = await probe(
      cell,
      `
import stat
opened = []
for directory, below, files in os.walk('/proc'):
    below[:] = [name for name in below if not name.isdigit() and name not in ('self', 'thread-self', 'net')]
    for name in files:
        path = directory + '/' + name
        # An engine hides files behind its null device.
        if stat.S_ISCHR(os.stat(path).st_mode): continue
        try: os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK)); opened.append(path)
        except OSError: pass
LAST = '/proc/sys/kernel/ns_last_pid'
print(json.dumps({
  'opened': [path for path in opened if path != LAST],
  # Of a process namespace, and for those who may restore processes in it.
  'last': attempt(lambda: open(LAST, 'r+b', 0).write(b'1')),
  'pressure': attempt(lambda: open('/proc/pressure/memory', 'r+b', 0).write(b'some 150000 2000000')),
  'shown': [attempt(lambda: os.listdir('/proc/' + name)) for name in ('fs', 'irq', 'pressure')],
  'partitions': attempt(lambda: text('/proc/partitions')),
}))`,
    );
    expect(seen).toEqual({
      opened: [],
      last: expect.stringMatching(/^(EPERM|EACCES|EROFS)$/),
      pressure: expect.stringMatching(/^(ENOENT|EACCES|EROFS)$/),
      shown: Array(3).fill(expect.toSatisfy(nothing)),
      partitions: expect.toSatisfy(nothing),
    });
  });
});
