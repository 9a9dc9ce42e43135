import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import { WebSocket } from 'ws';
import { runtimes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';

/** Servers of programs, reached from outside by their names, on every runtime. */
const server = inject('server');
const run = promisify(execFile);

/** They say who asked for what, count the bytes of a body, and repeat what is said once the protocol has been changed. */
const PYTHON = `
import base64, hashlib, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def log_message(self, *_): pass
    def do_GET(self):
        if self.headers.get('Upgrade'): return self.echo()
        self.answer(f"{self.path} {self.headers['Host']}".encode())
    def do_POST(self):
        self.answer(str(len(self.rfile.read(int(self.headers['Content-Length'])))).encode())
    def answer(self, text):
        self.send_response(200)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    def echo(self):
        key = self.headers['Sec-WebSocket-Key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
        self.send_response(101)
        for name, value in (('Upgrade', 'websocket'), ('Connection', 'Upgrade'), ('Sec-WebSocket-Accept', base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())):
            self.send_header(name, value)
        self.end_headers()
        # One short frame of a client's, which is masked (RFC 6455, 5.2).
        head = self.rfile.read(6)
        text = bytes(byte ^ head[2 + i % 4] for i, byte in enumerate(self.rfile.read(head[1] & 127)))
        self.wfile.write(bytes([head[0], len(text)]) + text)
        self.close_connection = True
held = ThreadingHTTPServer(('127.0.0.1', 8000), Handler)
threading.Thread(target=held.serve_forever, daemon=True).start()
`;
const JAVASCRIPT = `
const { createServer } = await import('node:http');
const { createHash } = await import('node:crypto');
const held = createServer((request, response) => {
  if (request.method === 'GET') return response.end(request.url + ' ' + request.headers.host);
  let bytes = 0;
  request.on('data', data => { bytes += data.length; });
  request.on('end', () => response.end(String(bytes)));
});
held.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  const accept = createHash('sha1').update(key).digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
  socket.on('data', data => {
    const text = data.subarray(6, 6 + (data[1] & 127)).map((byte, i) => byte ^ data[2 + i % 4]);
    socket.write(Buffer.concat([Buffer.from([data[0], text.length]), text]));
  });
});
await new Promise(resolve => held.listen(8000, '127.0.0.1', resolve));
`;
// Deno lets programs listen in sessions with a network only.
const cells = (await runtimes()).filter(({ runtimeType }) => runtimeType !== 'Deno');

/** `curl`, which finds names below localhost by itself. */
async function curl(...words: string[]): Promise<string> {
  return (await run('curl', ['-sS', '--max-time', '60', ...words])).stdout;
}

describe.each(cells)('$name', ({ language, runtimeType, dialect }) => {
  test('a program’s server is found, told of, and reached by HTTP and WebSocket', async () => {
    await using session = await TestSession.open(server.wsUrl, { language, runtimeType });
    const of = { sessionId: session.id };
    const before = await session.client.call('session.ports', of);
    expect(before).toEqual({ ports: [] });
    await session.prints(dialect === 'python' ? PYTHON : JAVASCRIPT);
    const isTold = ({ method, params }: { method: string; params: { port: number } }) =>
      method === 'port.opened' && params.port === 8000;
    await session.client.until(() => session.client.notifications.some(isTold as never));
    const { url, token } = await session.client.call('session.expose', { ...of, port: 8000 });
    const { ports } = await session.client.call('session.ports', of);
    expect(ports).toEqual([{ port: 8000, address: '127.0.0.1', exposed: true, url }]);
    const key = ['-H', `X-CodeBeaker-Port-Token: ${token}`];
    expect(await curl(...key, `${url}/a?b`)).toBe('/a?b localhost:8000');
    expect(await curl(...key, '-d', 'x'.repeat(100_000), url)).toBe('100000');
    const { host, port } = new URL(url);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
      headers: { host, 'x-codebeaker-port-token': token },
    });
    const said = await new Promise((resolve, reject) => {
      socket.on('open', () => socket.send('hello'));
      socket.on('message', data => resolve(String(data)));
      socket.on('error', reject);
    });
    expect(said).toBe('hello');
    socket.terminate();
    expect(await session.client.call('session.unexpose', { ...of, port: 8000 })).toEqual({ port: 8000 });
    expect(await curl(...key, '-o', '/dev/null', '-w', '%{http_code}', url)).toBe('404');
  });
});
