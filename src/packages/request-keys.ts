import { createHash } from 'node:crypto';
import type { InstallRequest } from './install-request.ts';
import type { RegistrySettings } from './registry-processes.ts';

/** Of builds: what was made in an earlier way, by a server before this one, answers nobody. */
const WAY_OF_BUILDING = 2;

/** The key of a list of requirements, for what else a request says. */
export type KeyOf = (list: readonly string[]) => string;

/** One version by itself: no list of a client's is answered by a part. */
export const alone = (pin: string) => [`${pin} alone`];

/**
 * What a list comes to. By the key of that `list` it is what the list's own install says, which finds a layer for that list alone; by none a layer
 * of just these versions, each of which was made by itself.
 */
export const resolved = (pins: readonly string[], list = 'any list') => [...pins, `resolved for ${list}`];

/** Keys of lists of requirements, for what else a request and the settings say. */
export async function keysOf(
  { ecosystem, runtime, language, dockerImage, build }: InstallRequest,
  { indexes, deny, minAgeDays }: RegistrySettings,
): Promise<KeyOf> {
  const request = dockerImage === undefined ? {} : { dockerImage };
  const identity = [runtime.type, language.name, await runtime.identify(language, request)];
  // Scripts of packages may pick what fits the interpreter that they run in.
  const anywhere = ecosystem.portable && !dockerImage && !build;
  const abi = [process.arch, ...(anywhere ? [] : identity)];
  const tool = ecosystem.tool(process.arch);
  const { url, checksums } = indexes[ecosystem.name];
  const more = [url, deny, minAgeDays, checksums, ...(build ? [build, WAY_OF_BUILDING] : [])];
  return list => {
    const texts = [...new Set(list)].sort();
    return createHash('sha256')
      .update(JSON.stringify([ecosystem.name, tool, abi, texts, ...more]))
      .digest('hex');
  };
}
