import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Inflow } from '../../../plugins/inflow.ts';
import { Envelopes } from '../../../routes/jupyter/envelope.ts';
import { KernelSocket } from '../../../routes/jupyter/kernel-socket.ts';
import { ServiceError } from '../../../src/errors.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import { CollectedLog } from '../support/collected-log.ts';

/** A client that reads nothing: what is sent stays where it is. */
class StalledSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  protocol = '';
  sent = 0;
  closedWith: number | undefined;
  terminated = false;

  send(): void {
    this.sent++;
  }

  close(code: number): void {
    this.closedWith = code;
  }

  terminate(): void {
    this.terminated = true;
    this.readyState = 3;
    this.emit('close');
  }
}

standStill();

/** A socket of a kernel, whose messages are counted by `admit` and taken by `receive`. */
function open(parts: { receive?: () => Promise<void>; admit?: () => void }) {
  const socket = new StalledSocket();
  const kernel = { join: () => true, receive: parts.receive ?? (async () => {}) };
  const client = new KernelSocket(socket as never, kernel as never, {
    stream: new PassThrough() as never,
    inflow: new Inflow(),
    admit: parts.admit ?? (() => {}),
    log: new CollectedLog(),
  });
  const say = (content: object) => {
    const header = { msg_id: 'one', msg_type: 'execute_request' };
    socket.emit('message', Buffer.from(JSON.stringify({ header, content })), false);
  };
  return { socket, client, say };
}

test('a client that reads nothing holds its kernel up for a quarter of a minute, and is cut off', async () => {
  const { socket, client } = open({});
  const left: unknown[] = [];
  client.gone.addEventListener('abort', () => left.push('gone'));
  const output = {
    channel: 'iopub',
    type: 'stream',
    parent: null,
    content: { text: 'x'.repeat(600_000) },
  } as const;
  const envelopes = new Envelopes('one');
  await client.send(envelopes.seal(output));
  let through = false;
  const sending = client.send(envelopes.seal(output)).then(() => {
    through = true;
  });
  await pass(14_000);
  expect([through, socket.terminated]).toEqual([false, false]);
  await pass(2000);
  await sending;
  expect([through, socket.terminated, left]).toEqual([true, true, ['gone']]);
  await client.send(envelopes.seal(output));
  expect(socket.sent).toBe(2);
});

test('what the rate has not let in is dropped when its client leaves', async () => {
  const received: unknown[] = [];
  let left = 1;
  const { socket, say } = open({
    receive: async () => void received.push('message'),
    admit() {
      if (left-- <= 0) throw new ServiceError('RATE_LIMITED', 'too many', { retryAfter: 60 });
    },
  });
  for (let i = 0; i < 3; i++) say({ code: 'x' });
  await settle();
  expect(received).toHaveLength(1);
  socket.terminate();
  await settle();
  expect(received).toHaveLength(1);
});

test('messages that are many times as large in memory count as what they are there', async () => {
  const { socket, say } = open({ receive: () => new Promise(() => {}) });
  const content = { data: Array(80_000).fill({}) };
  say(content);
  expect(socket.closedWith).toBeUndefined();
  say(content);
  expect(socket.closedWith).toBe(1008);
});

test('a client whose kernel has no room for its message is told to come back', async () => {
  const { socket, say } = open({ receive: () => Promise.reject(new ServiceError('QUEUE_FULL', 'too much')) });
  say({ code: 'x' });
  await settle();
  expect(socket.closedWith).toBe(1013);
});
