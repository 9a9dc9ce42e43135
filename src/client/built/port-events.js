import { told } from './told.js';
/** What listens, and what changes. Where a connection was lost, what changed meanwhile is told when it is made again. */
export function portEvents(http, asked) {
    const { sessionId, patience, signal } = asked;
    const open = new Set();
    const change = (type, port) => {
        if (open.has(port) === (type === 'opened'))
            return [];
        if (type === 'opened')
            open.add(port);
        else
            open.delete(port);
        return [{ type, port }];
    };
    return told(http, {
        method: 'session.ports',
        params: { sessionId },
        begin: answer => {
            const now = answer.ports.map(({ port }) => port);
            const gone = [...open].filter(port => !now.includes(port));
            return [
                ...gone.flatMap(port => change('closed', port)),
                ...now.flatMap(port => change('opened', port)),
            ];
        },
        read: (method, params) => {
            const type = { 'port.opened': 'opened', 'port.closed': 'closed' }[method];
            return type ? change(type, params.port) : [];
        },
        isLast: () => false,
        overflow: () => [...open].map(port => ({ type: 'opened', port })),
        patience,
        signal,
    });
}
