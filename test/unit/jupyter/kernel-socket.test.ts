import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Inflow } from '../../../plugins/inflow.ts';
import { Envelopes } from '../../../routes/jupyter/envelope.ts';
import { KernelSocket } from '../../../routes/jupyter/kernel-socket.ts';
import { pass, standStill } from '../support/clock.ts';
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

test('a client that reads nothing holds its kernel up for a quarter of a minute, and is cut off', async () => {
  const socket = new StalledSocket();
  const left: unknown[] = [];
  const kernel = { join: () => true, receive: async () => {} };
  const client = new KernelSocket(socket as never, kernel as never, {
    stream: new PassThrough() as never,
    inflow: new Inflow(),
    admit: () => {},
    log: new CollectedLog(),
  });
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
