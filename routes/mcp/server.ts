import { ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server';
import type { Service } from '../../src/service/service.ts';
import { VERSION } from '../../src/version.ts';
import { callTool } from './call-tool.ts';
import type { DefaultSessions } from './default-sessions.ts';
import type { Exchange } from './exchange.ts';
import { SessionUse } from './session-use.ts';
import type { Tell } from './told.ts';
import { tools } from './tools/index.ts';

/** How long clients may keep the list of tools, milliseconds. It names the languages of this machine. */
const LIST_MS = 60_000;

/** Read by models before they choose a tool. */
const INSTRUCTIONS =
  'CodeBeaker runs untrusted code in a sandbox without a network. Calls without a sessionId share one session of your own: ' +
  'variables, files in /workspace and working programs stay from call to call until nobody has used it for half an hour. ' +
  'sessionBegan: true says that a new one had to begin.';

/** Tools have their own validators, and nothing is asked of clients whose answers would need one. */
const NO_VALIDATOR = {
  getValidator(): never {
    throw new Error('no answers of clients are expected');
  },
};

/** The protocol's server for one exchange. */
export function mcpServer(parts: {
  service: Service;
  sessions: DefaultSessions;
  exchange: Exchange;
}): Server {
  const { service, sessions: own, exchange } = parts;
  const server = new Server(
    { name: 'codebeaker', title: 'CodeBeaker', version: VERSION },
    {
      capabilities: { tools: {} },
      instructions: INSTRUCTIONS,
      jsonSchemaValidator: NO_VALIDATOR,
      cacheHints: { 'tools/list': { ttlMs: LIST_MS, cacheScope: 'private' } },
    },
  );
  server.setRequestHandler('tools/list', async ({ params }) => {
    if (params?.cursor !== undefined)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'cursor: there is one page only');
    return { tools: await listTools(service) };
  });
  server.setRequestHandler('tools/call', ({ params }, { mcpReq }) => {
    const signal = AbortSignal.any([exchange.call.signal, mcpReq.signal]);
    const progressToken = mcpReq._meta?.progressToken;
    let progress = 0;
    const tell: Tell = async message => {
      exchange.outflow.sent(message.length);
      await mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken: progressToken!, progress: ++progress, message },
      });
      await exchange.outflow.room();
    };
    const use = new SessionUse({
      sessions: service.sessions,
      call: { ...exchange.call, signal },
      own,
      connection: exchange.connection,
      tell: progressToken === undefined ? null : tell,
    });
    return callTool(params, use, exchange);
  });
  return server;
}

async function listTools(service: Service) {
  const { supportedLanguages } = await service.capabilities();
  return tools.map(({ name, title, description, input, output, annotations }) => ({
    name,
    title,
    description:
      name === 'execute_code' ? `${description} Languages: ${supportedLanguages.join(', ')}.` : description,
    inputSchema: input,
    outputSchema: output,
    annotations,
  }));
}
