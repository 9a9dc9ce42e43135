import { SessionConfig, SessionInfo } from '../../schemas/session.ts';
import { defineMethod } from '../method.ts';

export const sessionCreate = defineMethod({
  name: 'session.create',
  summary: 'Opens a session: a sandbox that keeps its files and its interpreters between commands',
  params: SessionConfig,
  result: SessionInfo,
  run(config, { service, call, connection }) {
    const created = service.sessions.create(config, call);
    // A client may pipeline `fs.*` behind this; one that fails leaves the session before it.
    const before = connection.lastSession;
    connection.lastSession = created.then(
      ({ sessionId }) => sessionId,
      () => before,
    );
    return created;
  },
});
