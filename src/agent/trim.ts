import { TRIM_FILE } from './artifact.ts';

let addon: { exports: { trim?: () => void } } | undefined;

/** Gives back what this process holds and a service at rest does not need; see trim/trim.c. Nothing where the addon can't be loaded. */
export function trim(): void {
  if (!addon) {
    addon = { exports: {} };
    try {
      process.dlopen(addon, TRIM_FILE);
    } catch {
      // Not compiled yet, say. All that is lost is memory.
    }
  }
  addon.exports.trim?.();
}
