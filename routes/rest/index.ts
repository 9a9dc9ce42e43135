import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Door } from '../door.ts';
import { readBodies } from './bodies.ts';
import { EventStreams } from './event-streams.ts';
import { executionRoutes } from './execution.ts';
import { executionEvents } from './execution-events.ts';
import { fileRoutes } from './files/index.ts';
import { languageRoutes } from './language.ts';
import { sessionRoutes } from './session.ts';
import { batchRoutes } from './session-batch.ts';
import { commandRoutes } from './session-commands.ts';
import { sessionEvents } from './session-events.ts';
import { statusEvents } from './status-events.ts';

/** The REST door, /api/…: a route is a schema, one call of the service and a status. */
export const rest: Door = {
  name: 'rest',
  async open(app, { service }) {
    readBodies(app);
    const typed = app.withTypeProvider<TypeBoxTypeProvider>();
    const streams = new EventStreams();
    executionRoutes(typed, service);
    executionEvents(typed, service.executions, streams);
    languageRoutes(typed, service);
    sessionRoutes(typed, service);
    commandRoutes(typed, service);
    batchRoutes(typed, service);
    statusEvents(typed, service.status);
    sessionEvents(typed, service.sessions, streams);
    await app.register(scope => fileRoutes(scope, service));
  },
};
