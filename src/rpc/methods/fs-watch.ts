import { Type } from '@sinclair/typebox';
import { path } from '../../commands/fields.ts';
import { WatchId } from '../../schemas/file-events.ts';
import { closed, SessionId } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const fsWatch = defineMethod({
  name: 'fs.watch',
  summary:
    'Tells by fs.changed what becomes of a directory or file, until fs.unwatch or the end of this connection; over HTTP, until the session’s, and only on /ws/status and GET /api/events',
  params: closed({
    sessionId: SessionId,
    path: Type.Optional({ ...path, default: '.' }),
    recursive: Type.Optional(
      Type.Boolean({ default: false, description: 'Also what lies below, and comes there later' }),
    ),
  }),
  answer: 'The watch',
  result: Type.Object({ watchId: WatchId }),
  feature: 'FileWatch',
  async run(params, { service, call, connection, after }) {
    const { live, watching } = connection;
    const tell = live ? connection.notify.bind(connection) : undefined;
    const { watchId, start } = await service.watches.open(params, call, tell, live ? watching : undefined);
    after(start);
    return { watchId };
  },
});
