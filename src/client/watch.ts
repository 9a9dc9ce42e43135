import type { Http } from './http.ts';
import { told } from './told.ts';
import type { FileEvent } from './wire.ts';

const WORKSPACE = '/workspace';

/** What becomes of a directory or file. Where a connection was lost, or is read too slowly, `overflow` says that something may be missed. */
export function watchFiles(
  http: Http,
  {
    patience,
    signal,
    ...params
  }: {
    sessionId: string;
    path: string;
    recursive: boolean;
    patience: number;
    signal?: AbortSignal | undefined;
  },
): Promise<AsyncGenerator<FileEvent, void>> {
  const { sessionId } = params;
  let watchId = '';
  const path = params.path.startsWith('/')
    ? params.path
    : `${WORKSPACE}/${params.path}`.replace(/\/\.?$/, '');
  const overflow = (): FileEvent[] => [{ watchId, sessionId, type: 'overflow', path }];
  return told<FileEvent>(http, {
    method: 'fs.watch',
    params,
    begin: (answer, isAgain) => {
      ({ watchId } = answer as { watchId: string });
      return isAgain ? overflow() : [];
    },
    // This connection has no other watch.
    read: (method, event) => (method === 'fs.changed' ? [event as FileEvent] : []),
    isLast: ({ type }) => type === 'ended',
    overflow,
    patience,
    signal,
  });
}
