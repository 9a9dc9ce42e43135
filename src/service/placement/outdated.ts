import type { Runtime, RuntimeState } from '../../runtimes/runtime.ts';

/** A runtime that can honour a request, now or as soon as it is there. */
export interface Able {
  readonly runtime: Pick<Runtime, 'type'>;
  readonly state: RuntimeState;
}

/**
 * Why a runtime does not serve a call that names none: another one has a newer version of the same toolchain, or is about to. So a
 * program meets the same version from the start of the server on, and never one that it ran on before by chance. Null where
 * nothing newer is known.
 */
export function outdatedBy(able: readonly Able[], { runtime, state }: Able): string | null {
  const own = versionOf(state);
  for (const other of able) {
    const version = versionOf(other.state);
    if (own === null || version === null || inOrder(version, own) <= 0) continue;
    const has = other.state.available ? 'has' : 'is about to have';
    return `its ${own} is older than the ${version} that ${other.runtime.type} ${has} (runtimeType: ${runtime.type} takes it all the same)`;
  }
  return null;
}

function versionOf(state: RuntimeState): string | null {
  return state.available ? state.version : (state.coming ?? null);
}

/** Made once: `localeCompare` makes one for each call, which takes more than all else of placing a run. */
const { compare: inOrder } = new Intl.Collator('en', { numeric: true });
