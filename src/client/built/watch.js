import { told } from './told.js';
const WORKSPACE = '/workspace';
/** What becomes of a directory or file. Where a connection was lost, or is read too slowly, `overflow` says that something may be missed. */
export function watchFiles(http, { patience, signal, ...params }) {
    const { sessionId } = params;
    let watchId = '';
    const path = params.path.startsWith('/')
        ? params.path
        : `${WORKSPACE}/${params.path}`.replace(/\/\.?$/, '');
    const overflow = () => [{ watchId, sessionId, type: 'overflow', path }];
    return told(http, {
        method: 'fs.watch',
        params,
        begin: (answer, isAgain) => {
            ({ watchId } = answer);
            return isAgain ? overflow() : [];
        },
        // This connection has no other watch.
        read: (method, event) => (method === 'fs.changed' ? [event] : []),
        isLast: ({ type }) => type === 'ended',
        overflow,
        patience,
        signal,
    });
}
