import { readFileSync } from 'node:fs';

/** Kernel settings that keep an unprivileged user from creating namespaces, and the values that allow it. */
const SETTINGS = [
  { name: 'kernel.apparmor_restrict_unprivileged_userns', refuses: '1', allows: '0' },
  { name: 'kernel.unprivileged_userns_clone', refuses: '0', allows: '1' },
  { name: 'user.max_user_namespaces', refuses: '0', allows: '65536' },
] as const;

const NO_NAMESPACE = /namespace|uid map|unshare failed|No permissions/i;
/** Both are in the package util-linux. */
const UTIL_LINUX = /(?:spawn |: )(unshare|setpriv)(?: ENOENT|: not found)/;

const THIS_MACHINE = {
  root: process.getuid?.() === 0,
  setting(name: string): string | null {
    try {
      return readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8').trim();
    } catch {
      return null;
    }
  },
};

/** A command for root, as whoever runs the service would type it. */
export function asRoot(command: string, root = THIS_MACHINE.root): string {
  return root ? command : `sudo ${command}`;
}

/** The command that fixes what bubblewrap, unshare or the shell complained about; null when none is known. */
export function remedyFor(
  complaint: string,
  machine: { root: boolean; setting(name: string): string | null } = THIS_MACHINE,
): string | null {
  if (UTIL_LINUX.test(complaint)) return asRoot('apt-get install -y util-linux', machine.root);
  if (!NO_NAMESPACE.test(complaint)) return null;
  const wrong = SETTINGS.filter(({ name, refuses }) => machine.setting(name) === refuses);
  if (wrong.length === 0) return null;
  return asRoot(`sysctl -w ${wrong.map(({ name, allows }) => `${name}=${allows}`).join(' ')}`, machine.root);
}
