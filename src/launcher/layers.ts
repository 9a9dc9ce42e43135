import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { GO_PACKAGES, NODE_PACKAGES, USER_HOME } from '../sandbox.ts';
import { DEVICE_LINKS, DEVICES } from './devices.ts';
import { makeEtc } from './etc.ts';
import { BEHIND_OFFLINE, OFFLINE } from './layout.ts';
import { bind, makeDevice, makeWhiteout, unmount } from './libc.ts';
import { EMPTY, masks } from './masks.ts';
import type { LauncherSetup, Tree } from './protocol.ts';
import { takeStep } from './show-view.ts';
import { MS, overlay } from './steps.ts';
import type { ShownPrograms, ShownTree, View } from './view.ts';

/** What lies at the root of a system beside /usr; links into it, or directories where /usr is not merged. */
const ROOT_NAMES = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];
/** Package managers that are told of in any case, and those that are where the host has them. */
const ALWAYS_OFFLINE = ['npm', 'npx', 'bunx'];
const OFFLINE_PROGRAMS = ['yarn', 'pnpm', 'uv', 'uvx', 'pipx', 'poetry', 'apt', 'apt-get', 'go'];
/** Programs of ours that are package managers too. */
const ALSO_OFFLINE = ['bun', 'deno'];
/** Above /usr lies what is ours, and between them a whiteout: the host's own /usr/local is nobody's business. */
const USR = ['own', 'cover', 'usr'];

/** Where a distribution's Python looks for its libraries' versions, and for what is installed beside them. */
const PYTHON_PLACES = ['/usr/lib', '/usr/lib64'];
const PYTHON_VERSION = /^python3\.\d+$/;
const PYTHON_PACKAGES = ['dist-packages', 'site-packages'];

/**
 * The directories that views are made of, numbered or named by us: an overlay's options are seen inside. The host's are
 * mounted here, with all that is mounted in them, and a sandbox's user need not be able to reach them where they lie.
 */
export class Layers {
  readonly #setup: LauncherSetup;
  /** As this process sees them now. */
  readonly #place: string;

  constructor(setup: LauncherSetup, place: string) {
    this.#setup = setup;
    this.#place = place;
  }

  /** Lays them out, from what is seen of the host. */
  make(): void {
    const { programs, trees, packages } = this.#setup;
    for (const name of ['empty', 'cover', 'own/local/bin', this.#inOurs(BEHIND_OFFLINE), ...ROOT_DIRECTORIES])
      mkdirSync(this.#at(name), { recursive: true });
    makeEtc(this.#at('root/etc'));
    for (const name of ROOT_NAMES) this.#rootName(name);
    makeWhiteout(this.#at('cover/local'));
    this.#host('usr', '/usr');
    this.#library();
    this.#offline();
    this.#everyPython();
    mkdirSync(this.#ours(EMPTY.directory), { recursive: true });
    writeFileSync(this.#ours(EMPTY.file), '');
    for (const [i, { name, path }] of programs.entries()) {
      this.#host(`program-${i}`, dirname(path));
      writeFileSync(this.#ours(placeOf(name)), '');
    }
    for (const [i, tree] of trees.entries()) this.#tree(i, tree);
    if (packages !== null) {
      this.#host('packages', packages);
      // At the end of every way up that looks for modules; nothing is there until packages are shown.
      symlinkSync(NODE_PACKAGES, this.#at('root/node_modules'));
      for (const name of ['go.mod', 'go.sum'])
        symlinkSync(`${GO_PACKAGES}/${name}`, this.#at(`root/${name}`));
    }
    this.#python();
  }

  /**
   * How sandboxes see them. What can be in no overlay here is copied, or shown as it is. The places must be what they will
   * be for sandboxes.
   */
  view(): View {
    const { root, programs, trees, packages } = this.#setup;
    const shown: ShownTree[] = [];
    const reason = this.#refusal(['root', 'empty']);
    const ownDevices = root && reason === null && this.#makeDevices();
    shown.push(this.#whole('', ['root'], reason), ...this.#usr());
    for (const name of ROOT_NAMES) {
      if (!existsSync(this.#at(name))) continue;
      shown.push(this.#whole(`/${name}`, [name], this.#refusal([name, 'empty'])));
    }
    for (const [i, { target }] of trees.entries()) {
      const layer = `tree-${i}`;
      if (this.#refusal([layer, 'empty']) === null)
        shown.push(this.#whole(`/usr/local/${target}`, [layer], null));
      else
        cpSync(this.#at(layer), this.#at(`own/local/${target}`), {
          recursive: true,
          verbatimSymlinks: true,
        });
    }
    // Of one layer, and an overlay all the same: a mount's own source tells a path of the host's.
    if (packages !== null)
      shown.push(this.#whole('/packages', ['packages'], this.#refusal(['packages', 'empty'])));
    return { trees: shown, programs: this.#programs(programs, root), ownDevices, masks: masks() };
  }

  /** The name that programs and people use, whatever the distribution calls it. */
  #python(): void {
    const own = this.#setup.trees.some(({ programs }) => 'python3' in programs);
    if (own || existsSync(this.#at('usr/bin/python3')))
      symlinkSync(own ? 'python3' : '/usr/bin/python3', this.#at('own/local/bin/python'));
  }

  /** The agent and the kernels, which its directory may keep to their owner. */
  #library(): void {
    const target = this.#at('own/local/lib/codebeaker');
    cpSync(this.#setup.library, target, { recursive: true });
    for (const name of ['', ...readdirSync(target, { recursive: true, encoding: 'utf8' })])
      chmodSync(`${target}/${name}`, 0o755);
  }

  /** Package managers that would look for a network; pip is told by a file that it reads (PEP 668). */
  #offline(): void {
    const { programs, trees } = this.#setup;
    const given = trees.flatMap(tree => Object.keys(tree.programs));
    const names = [
      ...ALWAYS_OFFLINE,
      ...OFFLINE_PROGRAMS.filter(name => !given.includes(name) && existsSync(this.#at(`usr/bin/${name}`))),
      ...programs.map(({ name }) => name).filter(name => ALSO_OFFLINE.includes(name)),
    ];
    for (const name of names) symlinkSync(`${OFFLINE}/package-manager`, this.#at(`own/local/bin/${name}`));
    for (const marker of globSync('/usr/lib/python3*/EXTERNALLY-MANAGED')) {
      mkdirSync(dirname(this.#ours(marker)), { recursive: true });
      symlinkSync(`${OFFLINE}/externally-managed`, this.#ours(marker));
    }
  }

  /** What every Python does at its start lies where each finds it by itself, whatever a program does to its environment. */
  #everyPython(): void {
    const lib = this.#at('own/local/lib');
    for (const place of PYTHON_PLACES.filter(path => existsSync(path)))
      for (const version of readdirSync(place).filter(name => PYTHON_VERSION.test(name)))
        for (const packages of PYTHON_PACKAGES)
          cpSync(`${lib}/codebeaker/every-python`, `${lib}/${version}/${packages}`, { recursive: true });
  }

  #whole(target: string, layers: readonly string[], refusal: string | null): ShownTree {
    if (refusal !== null) return { target, layers: [this.#at(layers[0]!)], shared: refusal };
    return { target, layers: [...layers, 'empty'].map(name => this.#at(name)) };
  }

  #usr(): ShownTree[] {
    const refusal = this.#refusal(USR);
    if (refusal === null) return [{ target: '/usr', layers: USR.map(name => this.#at(name)) }];
    const local = this.#whole('/usr/local', ['own/local'], this.#refusal(['own/local', 'empty']));
    return [this.#whole('/usr', ['usr'], refusal), local];
  }

  /** Those in one overlay whose names there are their own; others are copied. */
  #programs(programs: LauncherSetup['programs'], root: boolean): ShownPrograms {
    const layers: string[] = [];
    const files: Record<string, string> = {};
    for (const [i, { name, path }] of programs.entries()) {
      const file = basename(path);
      const layer = this.#at(`program-${i}`);
      const target = placeOf(name);
      const onlyOwners = root && (statSync(`${layer}/${file}`).mode & 0o5) !== 0o5;
      const met = layers.some(other => existsSync(`${other}/${file}`));
      if (!onlyOwners && !met && this.#refusal([`program-${i}`, 'empty']) === null) {
        layers.push(layer);
        files[target] = file;
        continue;
      }
      copyFileSync(`${layer}/${file}`, this.#ours(target));
      chmodSync(this.#ours(target), 0o755);
      accessSync(this.#ours(target), constants.X_OK);
    }
    return { layers: [...layers, this.#at('empty')], files };
  }

  /** Why there can be no overlay of these; null where there can. */
  #refusal(names: readonly string[]): string | null {
    const trial = this.#at('trial');
    mkdirSync(trial, { recursive: true });
    try {
      const layers = names.map(name => this.#at(name));
      takeStep(overlay(layers, trial, MS.NODEV));
      unmount(trial);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** The harmless ones. False where this process may make none: an ordinary user's, or an engine's root. */
  #makeDevices(): boolean {
    const directory = this.#at('root/dev');
    try {
      for (const [name, numbers] of Object.entries(DEVICES)) makeDevice(`${directory}/${name}`, ...numbers);
      for (const [name, target] of Object.entries(DEVICE_LINKS)) symlinkSync(target, `${directory}/${name}`);
      for (const name of ['pts', 'shm']) mkdirSync(`${directory}/${name}`);
      return true;
    } catch {
      return false;
    }
  }

  #rootName(name: string): void {
    const entry = lstatSync(`/${name}`, { throwIfNoEntry: false });
    if (entry?.isSymbolicLink()) symlinkSync(readlinkSync(`/${name}`), this.#at(`root/${name}`));
    else if (entry?.isDirectory()) {
      mkdirSync(this.#at(`root/${name}`));
      this.#host(name, `/${name}`);
    }
  }

  /** Programs are links, not files: Python and Go find their library from where their executable really lies. */
  #tree(i: number, { source, target, programs }: Tree): void {
    this.#host(`tree-${i}`, source);
    mkdirSync(this.#at(`own/local/${target}`), { recursive: true });
    for (const [name, path] of Object.entries(programs)) {
      const program = name === 'go' ? `${OFFLINE}/package-manager` : `../${target}/${path}`;
      symlinkSync(program, this.#at(`own/local/bin/${name}`));
    }
  }

  #host(name: string, source: string): void {
    mkdirSync(this.#at(name));
    bind(source, this.#at(name));
  }

  /** Of what sandboxes see below /usr. */
  #ours(path: string): string {
    return this.#at(this.#inOurs(path));
  }

  #inOurs(path: string): string {
    return path.replace('/usr/', 'own/');
  }

  #at(name: string): string {
    return `${this.#place}/${name}`;
  }
}

/** Where a program of ours lies inside. */
function placeOf(name: string): string {
  return ALSO_OFFLINE.includes(name) ? `${BEHIND_OFFLINE}/${name}` : `/usr/local/bin/${name}`;
}

const ROOT_DIRECTORIES = [
  'usr',
  'proc',
  'dev',
  'packages',
  'workspace',
  'tmp',
  'home/sandbox',
  USER_HOME.slice(1),
].map(name => `root/${name}`);
