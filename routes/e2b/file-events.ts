import type { FileEvent } from '../../src/schemas/file-events.ts';
import type { Call } from '../../src/service/call.ts';
import type { Entries, Entry } from '../../src/service/service.ts';
import { RpcError } from './connect-protocol.ts';
import { entryInfo } from './entry-info.ts';
import { seenPath } from './paths.ts';

type Changed = FileEvent['params'];

/** What is watched, for whom. */
export interface Watched {
  readonly sandboxId: string;
  /** As clients see it. */
  readonly path: string;
  readonly includeEntry: boolean;
  readonly call: Call;
}

/** Their protocol has no word for it: the watch ends, and the client looks for itself. */
const LOST = new RpcError(
  'internal',
  'too much happened at once, and some of it was missed: list the directory',
);

/**
 * What has become of a name, in the events of E2B's daemon: those of fsnotify, where a file that is made is created and then written,
 * and one that is renamed goes from one name and comes to another.
 * @throws {RpcError} the watch is over
 */
export async function eventsOf(
  { type, path, newPath, message }: Changed,
  { sandboxId, path: watched, includeEntry, call }: Watched,
  entries: Entries,
): Promise<object[]> {
  const look = async (at: string) => entries.describe(sandboxId, at, call).catch(() => null);
  const tell = (kind: string, at: string, entry: Entry | null) => ({
    name: nameIn(watched, at),
    type: `EVENT_TYPE_${kind}`,
    ...(includeEntry && entry && { entry: entryInfo(entry) }),
  });
  switch (type) {
    case 'created': {
      const entry = await look(seenPath(path));
      const isWritten = entry?.type === 'file' && entry.size > 0;
      return ['CREATE', ...(isWritten ? ['WRITE'] : [])].map(kind => tell(kind, path, entry));
    }
    case 'modified':
      return [tell('WRITE', path, includeEntry ? await look(seenPath(path)) : null)];
    case 'deleted':
      return [tell('REMOVE', path, null)];
    case 'renamed':
      return [
        tell('RENAME', path, null),
        tell('CREATE', newPath ?? path, await look(seenPath(newPath ?? path))),
      ];
    case 'overflow':
      throw LOST;
    case 'ended':
      throw new RpcError('unavailable', message ?? 'nothing is watched any more');
  }
}

/** Relative to what is watched. */
function nameIn(watched: string, path: string): string {
  return seenPath(path).slice(watched.length).replace(/^\//, '');
}
