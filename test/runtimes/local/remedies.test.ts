import { expect, test } from 'vitest';
import { asRoot, remedyFor } from '../../../src/runtimes/local/remedies.ts';

const machine = (settings: Record<string, string>, root = true) => ({
  root,
  setting: (name: string) => settings[name] ?? null,
});
const UID_MAP = 'bwrap: setting up uid map: Permission denied';
const UNSHARE = 'the launcher has ended: unshare: unshare failed: Operation not permitted';
const apparmor = { 'kernel.apparmor_restrict_unprivileged_userns': '1' };

test.for([
  [UID_MAP, apparmor, true, 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'],
  [UNSHARE, apparmor, false, 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'],
  [
    UID_MAP,
    { 'kernel.unprivileged_userns_clone': '0' },
    true,
    'sysctl -w kernel.unprivileged_userns_clone=1',
  ],
  [
    'bwrap: Creating new namespace failed: No space left on device',
    { 'user.max_user_namespaces': '0', 'kernel.unprivileged_userns_clone': '0' },
    true,
    'sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=65536',
  ],
  ['spawn unshare ENOENT', {}, false, 'sudo apt-get install -y util-linux'],
  ['sandbox: 13: exec: setpriv: not found', {}, true, 'apt-get install -y util-linux'],
] as const)('"%s" is cured', ([complaint, settings, root, remedy]) => {
  expect(remedyFor(complaint, machine(settings, root))).toBe(remedy);
});

test.for([
  ['in a container, where every setting allows it', UNSHARE, {}],
  ['of another kind', 'the agent broke the protocol', apparmor],
] as const)('no cure is made up for a complaint %s', ([, complaint, settings]) => {
  expect(remedyFor(complaint, machine(settings))).toBe(null);
});

test('an ordinary user is given sudo', () => {
  expect(asRoot('apt-get install -y python3', true)).toBe('apt-get install -y python3');
  expect(asRoot('apt-get install -y python3', false)).toBe('sudo apt-get install -y python3');
});
