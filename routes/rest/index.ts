import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Door } from '../door.ts';
import { readBodies } from './bodies.ts';
import { executionRoutes } from './execution.ts';
import { languageRoutes } from './language.ts';
import { sessionRoutes } from './session.ts';

/** The REST door, /api/…: a route is a schema, one call of the service and a status. */
export const rest: Door = {
  name: 'rest',
  open(app, { service }) {
    readBodies(app);
    const typed = app.withTypeProvider<TypeBoxTypeProvider>();
    executionRoutes(typed, service);
    languageRoutes(typed, service);
    sessionRoutes(typed, service);
  },
};
