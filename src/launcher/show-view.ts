import { bind, MS, mount, setMountFlags, unmount } from './libc.ts';
import { devicesOf, type View } from './view.ts';

/** A directory that is the sandbox's own later; what is mounted here for a moment hides nothing. */
const BETWEEN = '/tmp';

/** Shows all but the devices below `root`, in the calling process's mount namespace. @throws where the kernel can't */
export function showView({ trees, programs }: View, root: string): void {
  for (const { target, layers, shared } of trees) {
    if (shared !== undefined) bind(layers[0]!, `${root}${target}`);
    // The devices are reached through the root.
    else overlay(layers, `${root}${target}`, target === '' ? 0 : MS.NODEV);
  }
  const files = Object.entries(programs.files);
  if (files.length === 0) return;
  const between = `${root}${BETWEEN}`;
  overlay(programs.layers, between, MS.NODEV);
  for (const [target, name] of files) bind(`${between}/${name}`, `${root}${target}`);
  unmount(between);
}

/** Its devices, and none anywhere else. */
export function showDevices(view: View, root: string): void {
  bind(devicesOf(root, view), `${root}/dev`);
  setMountFlags(root, MS.NODEV);
}

/** Read-only, without a layer that could be written. */
export function overlay(layers: readonly string[], target: string, flags: number): void {
  mount('overlay', target, MS.RDONLY | MS.NOSUID | flags, `lowerdir=${layers.join(':')}`);
}
