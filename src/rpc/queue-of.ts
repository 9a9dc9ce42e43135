import type { Context } from './method.ts';

/** The queue of a connection in which a command keeps its place; null runs beside everything. */
export function queueOf(sessionId: string, command: unknown, { service }: Context): string | null {
  const key = service.sessions.orderKey(sessionId, command);
  return key === null ? null : `${sessionId}\n${key}`;
}
