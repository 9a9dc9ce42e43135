import type { Done } from './ecosystem.ts';
import type { Layer } from './layer.ts';
import { idOfJoined } from './layer-id.ts';
import type { LayerStore } from './layer-store.ts';

/** Puts a layer together of others, and of what was installed beside them by a process that has ended. @throws {StoreFull} */
export async function joinLayers(
  store: LayerStore,
  keys: readonly string[],
  parts: readonly Layer[],
  more: (Done & Pick<Layer, 'whole' | 'sure'> & { directory: string }) | null,
  resolvedAt?: number,
): Promise<Layer> {
  const { directory, overhead } = await store.joined(parts, more);
  try {
    const all = [...parts, ...(more ? [more] : [])];
    // Lists may come to some of the same versions.
    const versions = all.flatMap(({ installed }) => installed);
    const installed = [...new Map(versions.map(each => [`${each.name}@${each.version}`, each])).values()];
    const twice = sizeOf(versions) - sizeOf(installed);
    const joined = {
      id: idOfJoined(all.map(({ id }) => id)),
      bytes: sizeOf(all) - twice,
      installed: installed.sort((one, other) => (one.name < other.name ? -1 : 1)),
      places: all.every(({ places }) => places)
        ? Object.assign({}, ...all.map(each => each.places))
        : undefined,
      sure: all.every(({ sure }) => sure) ? Object.assign({}, ...all.map(each => each.sure)) : undefined,
      parts: parts.map(({ name }) => name),
      overhead,
      whole: all.every(({ whole }) => whole),
    };
    return await store.add(keys, directory, joined, resolvedAt);
  } finally {
    store.remove(directory).catch(() => {});
  }
}

const sizeOf = (all: readonly { readonly bytes: number }[]) => all.reduce((sum, { bytes }) => sum + bytes, 0);
