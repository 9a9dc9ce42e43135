// What an agent's client does: finds the tools of the Model Context Protocol, and calls one that keeps its variables.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const url = process.env.CODEBEAKER_URL ?? 'http://127.0.0.1:5039';
const key = process.env.CODEBEAKER_API_KEY;
const headers = { ...(key && { authorization: `Bearer ${key}` }) };

const client = new Client({ name: 'example', version: '1.0.0' });
await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit: { headers } }));
const { tools } = await client.listTools();
await client.callTool({ name: 'execute_code', arguments: { code: 'x = 20' } });
const { content } = await client.callTool({ name: 'execute_code', arguments: { code: 'x * 2 + 2' } });

console.log(tools.map(({ name }) => name).join(' '));
console.log(content[0].text);
await client.callTool({ name: 'close_session', arguments: {} });
await client.close();
