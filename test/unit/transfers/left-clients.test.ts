import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { openHttp } from '../support/open-http.ts';

const http = await openHttp();
afterAll(() => http.app.close());

/** Asks for something and leaves; resolves when the server has seen both. `arrived`: its work has begun, and waits for the test. */
async function leave(path: string, arrived: Promise<void>): Promise<void> {
  const answering = once(http.app.server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  const socket = connect(http.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const [, response] = await answering;
  await arrived;
  const closed = once(response, 'close');
  socket.destroy();
  await closed;
}

const transactional = true;
const commands = [{ type: 'write_file', path: 'g', content: 'x' }];

test('a client that leaves while its download or archive is opened leaves no place taken', async () => {
  const { id, batch } = await http.session();
  const sandbox = http.runtime.last;
  const { files } = sandbox;
  await files.write('/workspace/f', Buffer.from('x'.repeat(5000)));
  let closes = 0;

  const openRead = files.openRead.bind(files);
  const asked = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  files.openRead = async path => {
    asked.resolve();
    await goOn.promise;
    const source = await openRead(path);
    return { ...source, close: () => void closes++ };
  };
  await leave(`/api/session/${id}/files/f`, asked.promise);
  goOn.resolve();
  await expect.poll(() => closes, { timeout: 15_000 }).toBe(1);
  files.openRead = openRead;

  const spawned = Promise.withResolvers<void>();
  const spawn = Promise.withResolvers<void>();
  sandbox.beforeSpawn = () => {
    spawned.resolve();
    return spawn.promise;
  };
  await leave(`/api/session/${id}/files`, spawned.promise);
  spawn.resolve();
  // Would wait for the archive.
  expect(await batch({ commands, transactional })).toMatchObject({ success: true });
  // Would wait for whatever has a place.
  await http.service.drain();
});
