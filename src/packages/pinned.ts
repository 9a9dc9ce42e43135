import type { PinnedWheel } from '../toolchains/debugger.ts';
import type { Ecosystem } from './ecosystem.ts';
import { InstallFailed } from './install-failed.ts';
import type { Layer } from './layer.ts';
import { python } from './python.ts';
import type { Requirement } from './requirements.ts';

const LIST = '/workspace/pinned.txt';

/**
 * What installs one wheel into a layer of its own, for the service and no client: no link leads there, so that programs do not find it
 * among their packages. Its text is none that a client can write, so no list of a client's is answered by that layer.
 */
export function pinned({ project, version, sha256 }: PinnedWheel): {
  ecosystem: Ecosystem;
  list: readonly Requirement[];
} {
  const text = `${project}==${version} --hash=sha256:${sha256}`;
  const ecosystem: Ecosystem = {
    ...python,
    links: {},
    files: () => ({ [LIST]: `${text}\n` }),
    // There is nothing to find out, and what it says is no list that uv takes as arguments.
    resolution: null,
    steps: parts => {
      const [install, ...rest] = python.steps({ ...parts, list: [] });
      const argv = [...install!.argv.slice(0, -1), '--no-deps', '--require-hashes', '--requirements', LIST];
      return [{ ...install!, argv }, ...rest];
    },
  };
  return { ecosystem, list: [{ text, name: project, versions: `==${version}`, pinned: true }] };
}

/** By what came from the registry itself, where the installer does not count. @throws {InstallFailed} it is another */
export function checkPinned({ installed }: Layer, { project, sha256 }: PinnedWheel): void {
  const found = installed.map(({ digest }) => digest);
  if (found.length !== 1 || found[0] !== `sha256:${sha256}`)
    throw new InstallFailed('digest', `${project} is not the one that this server knows`);
}
