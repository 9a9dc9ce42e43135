import { expect, test } from 'vitest';
import { bubblewrapArguments, sandboxCommand } from '../../src/launcher/plan.ts';

const order = {
  home: false,
  network: null,
  openFiles: 1024,
  disk: '/disks/x',
  procs: ['/g/a', '/g/b'],
  uid: 70_000,
};
const bubblewrap = '/usr/bin/bwrap';
const seen = { ownDevices: true, masks: [{ path: '/proc/cmdline', by: '/empty/file' }] };
const args = bubblewrapArguments('/disks/x', seen);
/** What follows an option, each time it is there. */
const after = (option: string, count: number) =>
  args.flatMap((arg, i) => (arg === option ? [args.slice(i + 1, i + 1 + count).join(' ')] : []));

const network = (...blocks: string[]) => [
  ...['/agent', 'network', 'net/core/somaxconn=128', 'net/ipv4/tcp_rmem=4096 16384 262144'],
  ...['net/ipv4/tcp_max_tw_buckets=16384', ...(blocks.length > 0 ? ['open', ...blocks] : []), '--'],
];

test('a sandbox shares no namespace, has no capability and no environment of ours', () => {
  // Its network is made before bubblewrap starts.
  for (const namespace of ['user', 'ipc', 'pid', 'uts', 'cgroup-try']) {
    expect(args).toContain(`--unshare-${namespace}`);
  }
  expect(args).toEqual(expect.arrayContaining(['--clearenv', '--new-session', '--die-with-parent']));
  expect(after('--cap-drop', 1)).toEqual(['ALL']);
  expect([after('--uid', 1), after('--gid', 1)]).toEqual([['65534'], ['65534']]);
  expect(after('--seccomp', 1)).toEqual(['9']);
});

test('only its own disk can be written, and everything it sees comes from its own view or that disk', () => {
  expect(after('--ro-bind', 2)).toEqual(['/disks/x/root /', '/disks/x/root/empty/file /proc/cmdline']);
  expect(after('--bind', 2).sort()).toEqual([
    '/disks/x/home /home/sandbox',
    '/disks/x/shm /dev/shm',
    '/disks/x/tmp /tmp',
    '/disks/x/workspace /workspace',
  ]);
  expect(after('--dev-bind', 2)).toEqual(['/disks/x/root/dev /dev', '/disks/x/pts /dev/pts']);
  // An ordinary user can make no device.
  expect(bubblewrapArguments('/disks/x', { ...seen, ownDevices: false }).join(' ')).toMatch(
    /--dev-bind \/dev \/dev .*--remount-ro \/dev /,
  );
});

test('the agent is the first process, run from the library', () => {
  expect(args).toContain('--as-pid-1');
  expect(args.slice(args.indexOf('--'))).toEqual(['--', '/usr/local/lib/codebeaker/agent', 'agent']);
});

test.for([
  [
    'a user of its own, as root',
    70_000,
    ['setpriv', '--reuid', '70000', '--regid', '70000', '--clear-groups', '--inh-caps=-all'],
  ],
  ['the same user, as an ordinary one', null, ['setpriv', '--inh-caps=-all']],
] as const)('it becomes %s', ([, uid, prefix]) => {
  const argv = sandboxCommand({ ...order, uid }, bubblewrap, seen);
  expect(argv.slice(0, 2)).toEqual(['/bin/sh', '-c']);
  expect(argv.slice(3, 9)).toEqual(['sandbox', '1024', '/filter', '/g/a', '/g/b', '--']);
  expect(argv.slice(9)).toEqual([...network(), ...prefix, '/usr/bin/bwrap', ...args]);
});

test('its network is its own and set up before any right is given up, and open where that is asked for', () => {
  const argv = sandboxCommand({ ...order, network: ['10.0.0.0/8'] }, bubblewrap, seen);
  expect(argv.slice(9, 9 + network('10.0.0.0/8').length + 1)).toEqual([...network('10.0.0.0/8'), 'setpriv']);
});

test('it limits itself and enters its groups before anything else runs, or ends', () => {
  const line = sandboxCommand(order, bubblewrap, seen)[2]!;
  const steps = ['prlimit --pid $$ --core=1', 'ulimit -n "$1"', 'echo 0 > "$1" || exit 1', 'exec "$@"'].map(
    part => line.indexOf(part),
  );
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect(steps).not.toContain(-1);
});
