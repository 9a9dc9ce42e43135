import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

/**
 * The least that can write and read a file for a client of JSON-RPC: no session, no sandbox, no check. Run by itself, with the file's path;
 * prints its port.
 */
const [, , file = ''] = process.argv;

interface Request {
  readonly id: number;
  readonly params: { readonly command: { readonly type: string; readonly content?: string } };
}

const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', socket => {
  socket.on('message', message => {
    const { id, params } = JSON.parse(String(message)) as Request;
    const { type, content } = params.command;
    if (content !== undefined) writeFileSync(file, content);
    const result = content === undefined ? { content: readFileSync(file, 'utf8') } : {};
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: { type, success: true, result } }));
  });
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
