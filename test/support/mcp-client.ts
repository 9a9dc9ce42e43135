import {
  type CallToolResult,
  Client,
  type RequestOptions,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';

/** What a client says first: `initialize`, as all did before 2026-07-28, or nothing. */
export const ERAS = ['2025-11-25', '2026-07-28'] as const;
export type Era = (typeof ERAS)[number];

// biome-ignore lint/suspicious/noExplicitAny: tests look into what a tool gave
type Answer = CallToolResult & { structuredContent?: any };

/** The protocol's own client, connected; gone when a test's block ends. */
export class McpClient implements AsyncDisposable {
  readonly client: Client;
  readonly transport: StreamableHTTPClientTransport;

  private constructor(client: Client, transport: StreamableHTTPClientTransport) {
    this.client = client;
    this.transport = transport;
  }

  static async connect(url: string, era: Era, headers: Record<string, string> = {}): Promise<McpClient> {
    const options = era === '2026-07-28' ? { versionNegotiation: { mode: 'auto' as const } } : {};
    const client = new Client({ name: 'tests', version: '1' }, options);
    const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } });
    await client.connect(transport);
    return new McpClient(client, transport);
  }

  async call(name: string, args: Record<string, unknown> = {}, options?: RequestOptions): Promise<Answer> {
    return this.client.callTool({ name, arguments: args }, options);
  }

  /** Runs a cell and resolves to its text. */
  async says(code: string, args: Record<string, unknown> = {}): Promise<string> {
    return textOf(await this.call('execute_code', { code, ...args }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.call('close_session').catch(() => {});
    await this.client.close();
  }
}

export function textOf({ content }: CallToolResult): string {
  return content.map(block => (block.type === 'text' ? block.text : '')).join('');
}
