// biome-ignore-all lint/suspicious/noExplicitAny: tests look into what a kernel sent
import { expect, test } from 'vitest';
import type { Client, Envelope } from '../../../routes/jupyter/envelope.ts';
import { json } from '../../../routes/jupyter/framing.ts';
import { Kernels } from '../../../routes/jupyter/kernels.ts';
import { openService } from '../support/open-service.ts';
import { cellError, kernel as kernelOf } from '../support/scripts.ts';

/** A client that reads all but `execute_input`, which it reads when the test says so. */
class SlowReader implements Client {
  readonly gone = new AbortController().signal;
  readonly heard: any[] = [];
  readonly #holds = Promise.withResolvers<void>();
  readonly #reads = Promise.withResolvers<void>();
  readonly holds = this.#holds.promise;
  readonly read = this.#reads.resolve;

  async send(envelope: Envelope): Promise<void> {
    const message = JSON.parse(String(envelope.in(json)));
    this.heard.push(message);
    if (message.msg_type !== 'execute_input') return;
    this.#holds.resolve();
    await this.#reads.promise;
  }

  close(): void {}

  /** Of the one cell that was sent. */
  reply(): any {
    return this.heard.find(({ msg_type }) => msg_type === 'execute_reply')?.content;
  }
}

const cell = {
  channel: 'shell',
  type: 'execute_request',
  header: JSON.stringify({ msg_id: 'one', msg_type: 'execute_request' }),
  content: { code: 'value' },
} as const;

/** A kernel with one client, and the codes that its interpreters are told. */
async function open(script = kernelOf(() => undefined)) {
  const { service, runtime, log, call } = openService({ script });
  const kernels = new Kernels(service, log);
  const kernel = await kernels.create({ name: 'python3', environment: {} }, call());
  const reader = new SlowReader();
  kernel.join(reader);
  return {
    kernel,
    reader,
    codes: () => runtime.last.processes.flatMap(({ told }) => told.map(({ code }) => code)),
    async end() {
      await kernels.remove(kernel);
      kernels.close();
    },
  };
}

test.each(['interrupt', 'restart'] as const)(
  'a cell that waits for a reader does not begin after: %s',
  async way => {
    const { kernel, reader, codes, end } = await open();
    const dealt = kernel.receive(cell, 100, reader);
    await reader.holds;
    const done = kernel[way]();
    reader.read();
    await Promise.all([dealt, done]);
    expect(reader.reply()).toMatchObject({ status: 'error', ename: 'KeyboardInterrupt' });
    expect(codes()).not.toContain('value');
    // The next one is not meant.
    await kernel.receive(cell, 100, reader);
    expect(codes()).toContain('value');
    await end();
  },
);

test('nor one whose interpreter is being prepared', async () => {
  const preparing = Promise.withResolvers<void>();
  let prepared = 0;
  const { kernel, reader, codes, end } = await open(
    kernelOf(async ({ code }, program) => {
      if (!code.includes('__jupyter__')) return undefined;
      // At the kernel's beginning, so that its first cell has it prepared anew.
      if (++prepared === 1) return { error: cellError('OSError') };
      if (prepared > 2) return undefined;
      await new Promise<void>(resolve => {
        program.on('SIGINT', resolve);
        preparing.resolve();
      });
      return { error: cellError('KeyboardInterrupt') };
    }),
  );
  reader.read();
  const dealt = kernel.receive(cell, 100, reader);
  await preparing.promise;
  await kernel.interrupt();
  await dealt;
  expect(reader.reply()).toMatchObject({ status: 'error', ename: 'KeyboardInterrupt' });
  expect(codes()).not.toContain('value');
  await end();
});
