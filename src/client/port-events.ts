import type { Http } from './http.ts';
import { told } from './told.ts';
import type { ListeningPort } from './wire.ts';

/** A program of a session has begun to listen on a port, or listens no more. */
export interface PortEvent {
  readonly type: 'opened' | 'closed';
  readonly port: number;
}

/** What listens, and what changes. Where a connection was lost, what changed meanwhile is told when it is made again. */
export function portEvents(
  http: Http,
  asked: { sessionId: string; patience: number; signal?: AbortSignal | undefined },
): Promise<AsyncGenerator<PortEvent, void>> {
  const { sessionId, patience, signal } = asked;
  const open = new Set<number>();
  const change = (type: PortEvent['type'], port: number): PortEvent[] => {
    if (open.has(port) === (type === 'opened')) return [];
    if (type === 'opened') open.add(port);
    else open.delete(port);
    return [{ type, port }];
  };
  return told<PortEvent>(http, {
    method: 'session.ports',
    params: { sessionId },
    begin: answer => {
      const now = (answer as { ports: ListeningPort[] }).ports.map(({ port }) => port);
      const gone = [...open].filter(port => !now.includes(port));
      return [
        ...gone.flatMap(port => change('closed', port)),
        ...now.flatMap(port => change('opened', port)),
      ];
    },
    read: (method, params) => {
      const type = ({ 'port.opened': 'opened', 'port.closed': 'closed' } as const)[method];
      return type ? change(type, (params as { port: number }).port) : [];
    },
    isLast: () => false,
    overflow: () => [...open].map(port => ({ type: 'opened', port })),
    patience,
    signal,
  });
}
