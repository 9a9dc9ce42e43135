import { expect, it } from 'vitest';
import { Ledger } from '../../../src/service/admission/ledger.ts';
import { holdCommands } from '../../../src/service/sessions/command-room.ts';

it('variables of cells that wait are counted with the cells', async () => {
  const ledger = new Ledger({ perOwner: 1_000_000, total: 2_000_000 });
  const command = { type: 'execute_code', id: undefined, params: { code: 'x' }, at: '' } as const;
  const environment = { A: 'x'.repeat(600_000) };
  const held = Promise.withResolvers<void>();
  const first = holdCommands(ledger, 'ann', [command], () => held.promise, { environment });
  await expect(holdCommands(ledger, 'ann', [command], async () => {}, { environment })).rejects.toMatchObject(
    { code: 'QUEUE_FULL' },
  );
  await holdCommands(ledger, 'ann', [command], async () => {});
  held.resolve();
  await first;
  await holdCommands(ledger, 'ann', [command], async () => {}, { environment });
});
