import type { Door } from '../door.ts';
import { DefaultSessions } from './default-sessions.ts';
import type { Exchange } from './exchange.ts';
import { serveMcp } from './serve.ts';

/** The door for clients of the Model Context Protocol (https://modelcontextprotocol.io), /mcp: tools over the service's sessions. */
export const mcp: Door = {
  name: 'mcp',
  open(app, { service }) {
    const sessions = new DefaultSessions(service.sessions);
    serveMcp(app, async () => {
      const [{ protocolOf }, { mcpServer }] = await Promise.all([
        import('./protocol-of.ts'),
        import('./server.ts'),
      ]);
      const served = {
        serverFor: (exchange: Exchange) => mcpServer({ service, sessions, exchange }),
        leave: sessions.leave.bind(sessions),
      };
      return protocolOf(served, app.log);
    });
  },
};
