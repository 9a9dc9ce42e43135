import type { AddressInfo } from 'node:net';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Server } from '@modelcontextprotocol/server';
import fastify from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { protocolOf } from '../../routes/mcp/protocol-of.ts';
import { serveMcp } from '../../routes/mcp/serve.ts';

/** The protocol's HTTP, with a tool of its own behind it, that asks its client something. */
const app = fastify({ forceCloseConnections: true });
const left: string[] = [];
let url: string;
beforeAll(async () => {
  app.decorateRequest('owner', null);
  await app.register(async scope => {
    const leave = async (connection: string) => left.push(connection);
    serveMcp(scope, async () => protocolOf({ serverFor: asking, leave }, scope.log));
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/mcp`;
});
afterAll(() => app.close());

function asking(): Server {
  const server = new Server({ name: 'asking', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
    const requestedSchema = { type: 'object' as const, properties: { word: { type: 'string' as const } } };
    const answer = await mcpReq.send({
      method: 'elicitation/create',
      params: { message: params.name, requestedSchema },
    });
    return { content: [{ type: 'text', text: `${params.name}: ${answer.content?.word}` }] };
  });
  return server;
}

async function connect() {
  const client = new Client({ name: 'tests', version: '1' }, { capabilities: { elicitation: { form: {} } } });
  client.setRequestHandler('elicitation/create', async () => ({
    action: 'accept',
    content: { word: 'yes' },
  }));
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport);
  return { client, transport };
}

test('a client that is asked meanwhile answers by a request of its own', async () => {
  const { client } = await connect();
  for (const name of ['first', 'second'])
    expect(await client.callTool({ name })).toMatchObject({ content: [{ text: `${name}: yes` }] });
  await client.close();
});

test('an answer that nobody waits for is taken and does nothing', async () => {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-session-id': crypto.randomUUID(),
  };
  for (const answer of [{ result: {} }, { error: { code: 1, message: 'no' } }]) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 0, ...answer });
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(202);
  }
});

test('a client that ends its connection has it left, by its name', async () => {
  const { client, transport } = await connect();
  const { sessionId } = transport;
  await transport.terminateSession();
  expect(left).toEqual([sessionId]);
  await client.close();
});
