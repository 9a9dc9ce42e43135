import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { assembleFilter } from '../seccomp/filter.ts';
import { PROGRAM_RULES } from '../seccomp/rules.ts';
import { DEVICE_LINKS, DEVICES } from './devices.ts';
import { Layers } from './layers.ts';
import { BASE } from './layout.ts';
import { bind, enterRoot, mount, setMountFlags } from './libc.ts';
import type { LauncherSetup } from './protocol.ts';
import { showView } from './show-view.ts';
import { encodeSteps, MS, sandboxSteps, templateSteps } from './steps.ts';
import type { View } from './view.ts';

/** Directories that every system has; the first without anything of ours in it is covered. */
const PLACES = ['/mnt', '/media', '/srv', '/opt', '/tmp'];
/** Only what is written counts; it is this much where interpreters must be copied. */
const BASE_OPTIONS = 'mode=0755,size=1g';
const SEALED = MS.RDONLY | MS.NOSUID | MS.NODEV;

/**
 * Lays out what every sandbox sees, in memory, and makes it the launcher's own root. The launcher's mounts are then
 * these few, whatever the host has mounted: bubblewrap's cost grows with them, and what is not there can't leak.
 * `groups` are the directories of control groups that are used from then on.
 */
export function enterBase(setup: LauncherSetup, groups: readonly string[]): View {
  const place = placeBeside([
    setup.library,
    setup.packages ?? undefined,
    ...setup.programs.map(({ path }) => path),
    ...setup.trees.map(({ source }) => source),
  ]);
  const flags = MS.NOSUID | MS.NODEV;
  mount({ source: 'tmpfs', target: place, type: 'tmpfs', flags, data: BASE_OPTIONS });
  // bubblewrap puts its sandboxes together at /tmp.
  for (const path of [BASE.inside, BASE.devices, BASE.between, BASE.disks, BASE.root, BASE.layers, '/tmp'])
    mkdirSync(`${place}${path}`);
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
  writeFileSync(`${place}${BASE.filter}`, assembleFilter(architecture));
  writeFileSync(`${place}${BASE.programFilter}`, assembleFilter(architecture, PROGRAM_RULES));
  new Layers(setup, `${place}${BASE.layers}`).make();
  makeDevices(`${place}${BASE.devices}`);
  copyFileSync(`${setup.library}/agent`, `${place}${BASE.agent}`);
  chmodSync(`${place}${BASE.agent}`, 0o755);
  for (const path of ['/proc', ...groups]) {
    mkdirSync(`${place}${path}`, { recursive: true });
    bind(path, `${place}${path}`);
  }
  enterRoot(place);
  const view = new Layers(setup, BASE.layers).view();
  writeFileSync(BASE.sandboxPlan, encodeSteps(sandboxSteps(view)));
  writeFileSync(BASE.templatePlan, encodeSteps(templateSteps(view, groups)));
  // The launcher runs the same programs: sh, setpriv and bubblewrap.
  showView(view, BASE.inside);
  for (const name of ['usr', 'etc', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']) {
    if (lstatSync(`${BASE.inside}/${name}`, { throwIfNoEntry: false }))
      symlinkSync(`inside/${name}`, `/${name}`);
  }
  return view;
}

/** Makes what forked sandboxes share, with whatever is mounted in it, read-only where it lies. @throws where the kernel can't */
export function seal({ trees, ownDevices }: View): void {
  for (const { layers, shared } of trees) if (shared !== undefined) sealAt(layers[0]!, SEALED);
  if (ownDevices) return;
  sealAt(BASE.devices, MS.NOSUID);
  setMountFlags(BASE.devices, MS.RDONLY);
}

function sealAt(directory: string, flags: number): void {
  bind(directory, directory);
  setMountFlags(directory, flags, { recursive: true });
}

function placeBeside(paths: readonly (string | undefined)[]): string {
  const place = PLACES.find(
    candidate => existsSync(candidate) && !paths.some(path => path?.startsWith(`${candidate}/`)),
  );
  if (!place) throw new Error(`one of ${PLACES.join(', ')} must be free of what the service needs`);
  return place;
}

/** The harmless ones. Mounted, not made: an ordinary user may make none. */
function makeDevices(directory: string): void {
  for (const name of Object.keys(DEVICES)) {
    writeFileSync(`${directory}/${name}`, '');
    bind(`/dev/${name}`, `${directory}/${name}`);
  }
  for (const [name, target] of Object.entries(DEVICE_LINKS)) symlinkSync(target, `${directory}/${name}`);
  for (const name of ['pts', 'shm']) mkdirSync(`${directory}/${name}`);
}
