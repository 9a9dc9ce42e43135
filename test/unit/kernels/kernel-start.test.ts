import { expect, test } from 'vitest';
import type { Process, ProcessEvent, Sandbox } from '../../../src/sandbox.ts';
import { KernelClient, KernelFailed } from '../../../src/service/kernels/kernel-client.ts';

/** A sandbox whose every program says `events`. */
function sandboxSaying(...events: ProcessEvent[]): Sandbox {
  async function* say() {
    yield* events;
  }
  const process = { events: say(), kill() {} } as unknown as Process;
  return { spawn: async () => process } as unknown as Sandbox;
}

const spec = { argv: ['kernel'], interruptible: true };
const exit: ProcessEvent = { type: 'exit', code: 1, signal: null };

test('an interpreter that ends before it is ready has failed, in words', async () => {
  const started = KernelClient.start(sandboxSaying(exit), spec, {}, '/workspace');
  await expect(started).rejects.toThrow(KernelFailed);
  await expect(started).rejects.toThrow('The interpreter ended before it was ready');
});

test('an interpreter that speaks no protocol before its end has failed too', async () => {
  const nonsense: ProcessEvent = { type: 'control', data: Buffer.from('{"ready":"yes"}\n[]\n') };
  await expect(KernelClient.start(sandboxSaying(nonsense, exit), spec, {}, '/workspace')).rejects.toThrow(
    KernelFailed,
  );
});
