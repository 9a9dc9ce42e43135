import { USER_HOME } from '../sandbox.ts';
import { DEVICES } from './devices.ts';
import { BASE, DISK } from './layout.ts';
import { NETWORK_FILES } from './plan.ts';
import { devicesOf, type View } from './view.ts';

/** Numbers of mount(2) and mount_setattr(2). */
export const MS = { RDONLY: 1, NOSUID: 2, NODEV: 4, NOEXEC: 8, BIND: 4096, REC: 16384 } as const;

/**
 * One thing to do in a mount namespace, as data: what the zygote's children do one by one to see what a sandbox sees
 * (src/agent/plan.c), and the launcher for itself and for bubblewrap (show-view.ts).
 */
export interface Step {
  readonly action:
    | 'mount'
    /** Sets flags of a mount. */
    | 'flags'
    /** Makes a directory, which may be there, or an empty file. */
    | 'directory'
    | 'file'
    /** Writes a setting of the kernel's, where that is possible. */
    | 'set'
    /** Shows the sandbox's own disk. */
    | 'disk'
    /** A directory that the disk has, of its user's. */
    | 'part'
    /** Mounts, in a sandbox that has a home. */
    | 'home'
    /** Makes a file that the agent fills, and nobody inside can write. */
    | 'figures'
    /** Unmounted once by the zygote, in a mount namespace of its own: of what it sees, each sandbox begins with a copy. */
    | 'leave';
  readonly source?: string;
  readonly target: string;
  readonly type?: string;
  readonly flags?: number;
  readonly data?: string;
}

/** Files of /proc that tell of a sandbox's limits and not of the machine, in the order of ShownLimits (src/wire/messages.ts). */
const FIGURES = ['meminfo', 'stat', 'cpuinfo'] as const;
/** Where a template has what its children need on their way into a sandbox, and nobody sees it after that. */
const OWN = '/tmp';
/** Terminals are a resource of the whole machine. */
const TERMINALS = 16;

const bind = (source: string, target: string): Step => ({
  action: 'mount',
  source,
  target,
  flags: MS.BIND | MS.REC,
});

const mount = (type: string, target: string, flags: number, data = ''): Step => ({
  action: 'mount',
  source: type,
  target,
  type,
  flags,
  data,
});

/** Read-only, without a layer that could be written. */
export const overlay = (layers: readonly string[], target: string, flags: number): Step =>
  mount('overlay', target, MS.RDONLY | MS.NOSUID | flags, `lowerdir=${layers.join(':')}`);

/** Options of a file system of terminals (kernel documentation, filesystems/devpts): each mount is one of its own. */
export const TERMINAL_OPTIONS = `ptmxmode=0666,mode=0620,max=${TERMINALS}`;

/** A sandbox's own terminals. */
export const terminals = (target: string): Step =>
  mount('devpts', target, MS.NOSUID | MS.NOEXEC, TERMINAL_OPTIONS);

/** Shows all but the devices below `root`. `between`: where directories are mounted of which only some files are shown. */
export function viewSteps({ trees, programs }: View, root: string, between: string): Step[] {
  const shown = trees.map(({ target, layers, shared }) => {
    if (shared !== undefined) return bind(layers[0]!, `${root}${target}`);
    // The devices are reached through the root.
    return overlay(layers, `${root}${target}`, target === '' ? 0 : MS.NODEV);
  });
  const files = Object.entries(programs.files);
  if (files.length === 0) return shown;
  return [
    ...shown,
    overlay(programs.layers, between, MS.NODEV),
    ...files.map(([target, name]) => bind(`${between}/${name}`, `${root}${target}`)),
  ];
}

/** Its devices, and none anywhere else. */
function deviceSteps(view: View, root: string): Step[] {
  return [bind(devicesOf(root, view), `${root}/dev`), { action: 'flags', target: root, flags: MS.NODEV }];
}

/** On its disk, in a place of it that is shown nowhere: a file system for them alone would cost more than all the rest of them. */
function figureSteps(root: string): Step[] {
  const own = `${BASE.disks}/figures`;
  return [
    { action: 'directory', target: own },
    ...FIGURES.flatMap((name): Step[] => [
      { action: 'figures', target: `${own}/${name}` },
      bind(`${own}/${name}`, `${root}/proc/${name}`),
      { action: 'flags', target: `${root}/proc/${name}`, flags: MS.RDONLY },
    ]),
  ];
}

/** All that a sandbox sees. */
export function sandboxSteps(view: View): Step[] {
  const { root } = BASE;
  return [
    { action: 'leave', target: BASE.inside },
    ...(view.ownDevices ? Object.keys(DEVICES) : []).map(
      (name): Step => ({ action: 'leave', target: `${BASE.devices}/${name}` }),
    ),
    ...viewSteps(view, root, BASE.between),
    ...deviceSteps(view, root),
    mount('proc', `${root}/proc`, MS.NOSUID | MS.NODEV | MS.NOEXEC),
    // Where they can't be written, sockets are watched all the same; see src/agent/sockets.c. Not by the launcher's own /proc: every look
    // there at what each network has by the same name passes by those of all that live.
    ...NETWORK_FILES.map(
      ([name, data]): Step => ({ action: 'set', target: `${root}/proc/sys/${name}`, data }),
    ),
    ...view.masks.map(({ path, by }) => bind(`${root}${by}`, `${root}${path}`)),
    terminals(`${root}/dev/pts`),
    { action: 'disk', target: BASE.disks },
    ...figureSteps(root),
    ...Object.entries(DISK).flatMap(([source, target]): Step[] => [
      { action: 'part', source, target },
      bind(`${BASE.disks}/${source}`, `${root}${target}`),
    ]),
    { ...bind(`${root}${DISK.workspace}`, `${root}${USER_HOME}`), action: 'home' },
  ];
}

/** The path of something outside as a template sees it. */
export function seenByTemplate(path: string): string {
  return `${OWN}${path}`;
}

/** All that a template sees: what a sandbox does, and with what to enter one. `groups`: directories that all control groups lie in. */
export function templateSteps(view: View, groups: readonly string[]): Step[] {
  const { root } = BASE;
  const own = `${root}${OWN}`;
  return [
    ...viewSteps(view, root, BASE.between),
    ...deviceSteps(view, root),
    // What it knows of itself; an ordinary user can't mount one of processes that are the machine's.
    bind('/proc', `${root}/proc`),
    // Where the program is that an interpreter looks for before it waits.
    mount('tmpfs', `${root}${DISK.workspace}`, MS.NOSUID | MS.NODEV | MS.NOEXEC),
    mount('tmpfs', own, MS.NOSUID | MS.NODEV | MS.NOEXEC),
    ...groups.flatMap(group => [...directories(own, group), bind(group, `${own}${group}`)]),
    { action: 'file', target: `${own}${BASE.filter}` },
    bind(BASE.programFilter, `${own}${BASE.filter}`),
  ];
}

function directories(below: string, path: string): Step[] {
  const parts = path.split('/').filter(Boolean);
  return parts.map((_, i) => ({
    action: 'directory',
    target: `${below}/${parts.slice(0, i + 1).join('/')}`,
  }));
}

/** As src/agent/plan.h has them: six texts each, every one ended by a NUL. */
export function encodeSteps(steps: readonly Step[]): string {
  return steps
    .flatMap(({ action, source = '', target, type = '', flags = 0, data = '' }) => {
      const texts = [action, source, target, type, String(flags), data];
      if (texts.some(text => text.includes('\0'))) throw new Error('a path with a NUL');
      return texts.map(text => `${text}\0`);
    })
    .join('');
}
