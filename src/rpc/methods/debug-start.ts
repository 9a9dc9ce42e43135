import { Type } from '@sinclair/typebox';
import { closed, SessionId } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const debugStart = defineMethod({
  name: 'debug.start',
  summary:
    'Starts a debugger in a session; it is spoken to by the Debug Adapter Protocol, over a WebSocket at `url`',
  params: closed({
    sessionId: SessionId,
    language: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'Name or alias; by default the session’s' }),
    ),
    context: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'Debugs the cells of this context, and no program; of Python alone',
      }),
    ),
  }),
  answer: 'The debugger, which waits for its connection',
  result: Type.Object({
    debugId: Type.String({ description: 'Good for one connection within 60 s, which needs no key' }),
    url: Type.String({ description: 'Path of that connection: /ws/dap/ and the id' }),
    adapter: Type.Object(
      {
        name: Type.String({ description: 'Such as debugpy' }),
        version: Type.String({ description: 'Of the adapter' }),
      },
      { description: 'What runs in the sandbox and is spoken to' },
    ),
    language: Type.String({ description: 'Whose programs it debugs' }),
  }),
  feature: 'Debugging',
  endsWithConnection: true,
  async run(params, { service, call }) {
    const started = await service.debugging.start(params, call);
    return { ...started, url: `/ws/dap/${started.debugId}` };
  },
});
