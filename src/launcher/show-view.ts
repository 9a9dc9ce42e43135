import { BASE } from './layout.ts';
import { mount, unmount } from './libc.ts';
import { type Step, viewSteps } from './steps.ts';
import type { View } from './view.ts';

/** Shows all but the devices below `root`, in this process's mount namespace. @throws where the kernel can't */
export function showView(view: View, root: string): void {
  for (const step of viewSteps(view, root, BASE.between)) takeStep(step);
  if (Object.keys(view.programs.files).length > 0) unmount(BASE.between);
}

/** One that mounts. */
export function takeStep({ action, source = '', target, type, flags = 0, data }: Step): void {
  if (action !== 'mount') throw new Error(`${action} is for a sandbox`);
  mount({ source, target, type, flags, data });
}
