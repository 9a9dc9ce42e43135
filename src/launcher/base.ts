import { cpSync, lstatSync, mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { makeEtc } from './etc.ts';
import { MS, mount } from './libc.ts';
import type { Layout } from './plan.ts';
import type { LauncherSetup } from './protocol.ts';
import { assembleFilter } from './seccomp/filter.ts';

/** Covered by a file system of our own in the launcher's mount namespace only; the host sees nothing of it. */
const BASE = '/mnt';

/** What all sandboxes share. */
export interface Base {
  /** Where each sandbox's disk is mounted while it starts. */
  readonly disks: string;
  readonly filter: string;
  readonly layout: Omit<Layout, 'disk'>;
}

/** Lays out what every sandbox binds: interpreters, agent, kernels, /etc, and the seccomp filter. */
export async function makeBase(setup: LauncherSetup): Promise<Base> {
  mount('tmpfs', BASE, MS.NOSUID | MS.NODEV, 'mode=0755,size=256m');
  for (const name of ['disks', 'empty', 'trees']) mkdirSync(`${BASE}/${name}`);
  const filter = `${BASE}/filter`;
  writeFileSync(filter, assembleFilter(process.arch === 'arm64' ? 'arm64' : 'x64'));
  makeEtc(`${BASE}/etc`);
  await makeLibrary(setup, `${BASE}/library`);
  const programs = setup.programs.map(({ name, path }) => ({
    name,
    source: `${exposeDirectory(dirname(path), name)}/${basename(path)}`,
  }));
  const directories = [];
  if (setup.pythonPrefix) {
    const { prefix, executable } = setup.pythonPrefix;
    const source = exposeDirectory(prefix, 'python');
    directories.push({ target: '/usr/local/python', source });
    programs.push({ name: 'python3', source: `${source}/${executable.slice(prefix.length + 1)}` });
  }
  return {
    disks: `${BASE}/disks`,
    filter,
    layout: { etc: `${BASE}/etc`, library: `${BASE}/library`, programs, directories, rootLinks: rootLinks() },
  };
}

/**
 * Shows a directory of the host read-only under a neutral name. An overlay of one layer copies nothing, hides where
 * the layer comes from (it is given relative to the working directory), and lets a user in who may not pass the
 * directories above it. Where the kernel has no overlay, it is copied into memory.
 */
function exposeDirectory(source: string, name: string): string {
  const target = `${BASE}/trees/${name}`;
  mkdirSync(target);
  const before = process.cwd();
  try {
    process.chdir(source);
    mount('overlay', target, MS.RDONLY | MS.NOSUID | MS.NODEV, `lowerdir=.:${BASE}/empty`);
  } catch {
    cpSync(source, target, { recursive: true, verbatimSymlinks: true });
  } finally {
    process.chdir(before);
  }
  return target;
}

/** What runs inside under Bun, each bundled into one file: its entry below src, and where it goes. */
const BUNDLES = { 'agent/main.ts': 'agent.js', 'kernels/javascript/bun.ts': 'javascript/bun.js' };
/** Puts the agent and the kernels together. */
async function makeLibrary({ source, bun }: LauncherSetup, target: string): Promise<void> {
  mkdirSync(target);
  await Promise.all(
    Object.entries(BUNDLES).map(([entry, name]) => bundle(bun, `${source}/${entry}`, `${target}/${name}`)),
  );
  cpSync(`${source}/kernels/python`, `${target}/python`, { recursive: true });
}

async function bundle(bun: string, entry: string, outfile: string): Promise<void> {
  const cmd = [bun, 'build', '--target', 'bun', entry, '--outfile', outfile];
  const build = Bun.spawn({ cmd, stdout: 'ignore', stderr: 'pipe' });
  if ((await build.exited) !== 0) throw new Error(await new Response(build.stderr).text());
}

/** /bin, /lib and the like as this system has them: links into /usr. */
function rootLinks(): { name: string; target: string }[] {
  return ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].flatMap(name => {
    const link = lstatSync(`/${name}`, { throwIfNoEntry: false });
    return link?.isSymbolicLink() ? [{ name, target: readlinkSync(`/${name}`) }] : [];
  });
}
