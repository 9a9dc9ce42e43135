import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { serveStatus } from '../../../routes/status/serve-status.ts';
import { settle, standStill } from '../support/clock.ts';
import { openService } from '../support/open-service.ts';
import { ends } from '../support/scripts.ts';

standStill();

/** A socket whose client reads nothing until it is said to. */
class UnreadSocket extends EventEmitter {
  readonly sent: string[] = [];
  isPaused = false;
  #waiting: (() => void)[] = [];

  send(text: string, taken?: () => void): void {
    this.sent.push(text);
    if (taken) this.#waiting.push(taken);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  close(): void {}

  read(): void {
    for (const taken of this.#waiting.splice(0)) taken();
  }
}

test('a client that asks for more and more, and reads nothing of it, is told one event and not read on', async () => {
  const all = openService({ script: ends() });
  const socket = new UnreadSocket();
  const who = { owner: null, log: all.log, id: 'c', stream: new EventEmitter() as Socket };
  serveStatus(socket as unknown as WebSocket, all.service.status, who);
  const ask = async (subscribe: string) => {
    socket.emit('message', Buffer.from(JSON.stringify({ subscribe: [subscribe] })), false);
    await settle();
  };
  await ask('*');
  await all.run();
  await settle();
  for (let i = 0; i < 20; i++) {
    await ask('execution.completed');
    await all.run();
    await settle();
  }
  expect([socket.sent.length, socket.isPaused]).toEqual([1, true]);
  socket.read();
  await settle();
  expect(socket.isPaused).toBe(false);
  socket.read();
  await settle();
  const told = socket.sent.map(text => JSON.parse(text).method);
  expect(told).toEqual(['execution.started', 'execution.completed']);
});
