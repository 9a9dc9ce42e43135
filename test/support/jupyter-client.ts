// biome-ignore-all lint/suspicious/noExplicitAny: tests look into what a kernel sent
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';

const V1 = 'v1.kernel.websocket.jupyter.org';

/** A client of Jupyter's, raw: one socket of a kernel, in either framing. */
export class JupyterClient {
  readonly socket: WebSocket;
  /** All that came, in order. */
  readonly received: any[] = [];
  #waiting: (() => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.received.push(isBinary ? decodeV1(data) : JSON.parse(String(data)));
      this.#wake();
    });
    socket.on('close', () => this.#wake());
  }

  static async connect(url: string, id: string, { binary = false } = {}): Promise<JupyterClient> {
    const address = `${url.replace('http', 'ws')}/jupyter/api/kernels/${id}/channels`;
    const socket = new WebSocket(address, binary ? [V1] : []);
    const client = new JupyterClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** Sends a request and returns its msg_id. */
  send(type: string, content: object = {}, channel: string | undefined = 'shell'): string {
    const header = {
      msg_id: randomUUID(),
      msg_type: type,
      username: 'test',
      session: 'one',
      date: new Date().toISOString(),
      version: '5.3',
    };
    const rest = { parent_header: {}, metadata: {}, content };
    if (this.socket.protocol === V1) this.socket.send(encodeV1({ channel, header, ...rest }));
    else this.socket.send(JSON.stringify({ header, ...rest, buffers: [], ...(channel && { channel }) }));
    return header.msg_id;
  }

  /** Of one request: all that it caused, once its reply and `idle` have come. */
  async causedBy(id: string): Promise<any[]> {
    const own = () => this.received.filter(({ parent_header }) => parent_header.msg_id === id);
    const over = () =>
      own().some(({ channel }) => channel === 'shell') && own().some(each => stateOf(each) === 'idle');
    await this.until(over);
    return own();
  }

  async ask(type: string, content: object = {}): Promise<any[]> {
    return this.causedBy(this.send(type, content));
  }

  /** Content of a request's reply. */
  async answer(type: string, content: object = {}): Promise<any> {
    return (await this.ask(type, content)).find(({ channel }) => channel === 'shell').content;
  }

  /** Runs a cell; what is told of it, in short. */
  async cell(code: string, more: object = {}): Promise<string[]> {
    return (await this.ask('execute_request', { code, ...more })).map(inShort);
  }

  /** Resolves to the first message that fits, of those that came and come. */
  async find(fits: (message: any) => boolean): Promise<any> {
    await this.until(() => this.received.some(fits));
    return this.received.find(fits);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('the socket is closed');
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }
}

const stateOf = ({ header, content }: any) =>
  header.msg_type === 'status' ? content.execution_state : undefined;

/** A message as a line that tells what matters of it. */
export function inShort({ header: { msg_type }, content }: any): string {
  const of = () => {
    const { data, transient = {} } = content;
    if (msg_type === 'status') return content.execution_state;
    if (msg_type === 'stream') return `${content.name} ${JSON.stringify(content.text)}`;
    if (msg_type === 'error') return content.ename;
    if (data)
      return [transient.display_id, data['text/plain'] ?? Object.keys(data)[0]].filter(Boolean).join(' ');
    if (msg_type === 'execute_input') return content.code;
    if (msg_type === 'clear_output') return `wait ${content.wait}`;
    return content.status ?? '';
  };
  return `${msg_type} ${of()}`.trim();
}

const PARTS = ['header', 'parent_header', 'metadata', 'content'] as const;

function encodeV1(message: any): Buffer {
  const parts = [
    Buffer.from(message.channel),
    ...PARTS.map(name => Buffer.from(JSON.stringify(message[name]))),
  ];
  const numbers = [parts.length + 1, 8 * (parts.length + 2)];
  for (const part of parts) numbers.push(numbers.at(-1)! + part.length);
  const table = Buffer.alloc(8 * numbers.length);
  for (const [i, number] of numbers.entries()) table.writeBigUInt64LE(BigInt(number), 8 * i);
  return Buffer.concat([table, ...parts]);
}

function decodeV1(data: Buffer): any {
  const count = Number(data.readBigUInt64LE(0));
  const offsets = Array.from({ length: count }, (_, i) => Number(data.readBigUInt64LE(8 * (i + 1))));
  const parts = offsets.slice(1).map((end, i) => data.toString('utf8', offsets[i], end));
  return {
    channel: parts[0],
    ...Object.fromEntries(PARTS.map((name, i) => [name, JSON.parse(parts[i + 1]!)])),
  };
}
