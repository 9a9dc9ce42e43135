import { expect, test } from 'vitest';
import type { Envelope } from '../../../routes/jupyter/envelope.ts';
import { json } from '../../../routes/jupyter/framing.ts';
import { Kernel } from '../../../routes/jupyter/kernel.ts';
import { Ledger } from '../../../src/service/admission/ledger.ts';
import { CollectedLog } from '../support/collected-log.ts';

const client = { send: async () => {}, gone: new AbortController().signal, close: () => {} };

const message = (type: string, channel: 'shell' | 'control' = 'shell', content = {}) => ({
  channel,
  type,
  header: '{}',
  content,
});

/** A kernel whose interpreter is ready when the test says so; its owner's kernels have room for 100 bytes. */
function open() {
  const ready = Promise.withResolvers<void>();
  const held = new Ledger({ perOwner: 100, total: 1000 });
  const interrupts: string[] = [];
  const interpreter = {
    begin: () => {},
    stop: () => {},
    prepare: () => ready.promise,
    restart: async () => {},
    interrupt: async () => void interrupts.push('interrupted'),
  };
  const kernel = new Kernel({
    spec: {} as never,
    owner: 'ann',
    interpreter: interpreter as never,
    info: async () => ({}),
    end: async () => {},
    held,
    log: new CollectedLog(),
  });
  return { kernel, held, interrupts, ready: ready.resolve };
}

test('what waits in kernels is bounded for its owner, whoever stays for it, until it has been dealt with', async () => {
  const { kernel, held, ready } = open();
  const info = message('comm_info_request');
  const first = kernel.receive(info, 60, client);
  await expect(kernel.receive(info, 60, client)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
  const restart = message('shutdown_request', 'control', { restart: true });
  await expect(kernel.receive(restart, 60, client)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
  const second = kernel.receive(info, 40, client);
  expect(held.of('ann')).toBe(100);
  ready();
  await Promise.all([first, second]);
  expect(held.of('ann')).toBe(0);
  await kernel.receive(restart, 60, client);
  expect(held.of('ann')).toBe(0);
});

test('what is in the way can be interrupted when nothing more may wait', async () => {
  const { kernel, interrupts } = open();
  void kernel.receive(message('comm_info_request'), 100, client);
  await kernel.receive(message('interrupt_request', 'control'), 60, client);
  expect(interrupts).toEqual(['interrupted']);
});

test('a kernel says what it is before its interpreter is ready, and once', async () => {
  const { kernel, held } = open();
  const told: string[] = [];
  const reader = {
    ...client,
    send: async (envelope: Envelope) => {
      const { msg_type, content } = JSON.parse(String(envelope.in(json)));
      told.push(content.execution_state ?? msg_type);
    },
  };
  kernel.join(reader);
  await kernel.receive(message('kernel_info_request'), 60, reader);
  expect(told).toEqual(['busy', 'kernel_info_reply', 'idle']);
  expect(kernel.state).toBe('starting');
  expect(held.of('ann')).toBe(0);
});
