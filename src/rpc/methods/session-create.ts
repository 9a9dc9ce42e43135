import { SessionConfig, SessionInfo } from '../../schemas/session.ts';
import { defineMethod } from '../method.ts';
import { checkSession } from '../used-features.ts';

export const sessionCreate = defineMethod({
  name: 'session.create',
  summary: 'Opens a session: a sandbox that keeps its files and its interpreters between commands',
  params: SessionConfig,
  result: SessionInfo,
  run(config, { service, call, connection }) {
    checkSession(config, connection);
    const created = service.sessions.create(config, call);
    // A client may send `fs.*` before this is answered. If it fails, the previous session stays the last one.
    const before = connection.lastSession;
    connection.lastSession = created.then(
      ({ sessionId }) => sessionId,
      () => before,
    );
    return created;
  },
});
