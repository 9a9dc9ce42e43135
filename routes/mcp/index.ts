import type { Door } from '../door.ts';
import { DefaultSessions } from './default-sessions.ts';
import { serveMcp } from './serve.ts';
import { mcpServer } from './server.ts';

/** The door for clients of the Model Context Protocol (https://modelcontextprotocol.io), /mcp: tools over the service's sessions. */
export const mcp: Door = {
  name: 'mcp',
  open(app, { service }) {
    const sessions = new DefaultSessions(service.sessions);
    serveMcp(app, {
      serverFor: exchange => mcpServer({ service, sessions, exchange }),
      leave: (connection, call) => sessions.leave(connection, call),
    });
  },
};
