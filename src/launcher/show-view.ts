import { mount, unmount } from './libc.ts';
import { type Step, viewSteps } from './steps.ts';
import type { View } from './view.ts';

/** Shows all but the devices below `root`, in this process's mount namespace. @throws where the kernel can't */
export function showView(view: View, root: string): void {
  for (const step of viewSteps(view, root)) takeStep(step);
}

/** Those that mount and unmount. */
export function takeStep({ action, source = '', target, type, flags = 0, data }: Step): void {
  if (action === 'mount') mount({ source, target, type, flags, data });
  else if (action === 'detach') unmount(target);
  else throw new Error(`${action} is for a sandbox`);
}
