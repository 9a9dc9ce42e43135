import { expect, it } from 'vitest';
import { Outflow } from '../../../routes/mcp/outflow.ts';
import { settle } from '../support/clock.ts';

const MOST = 256 * 1024;

it('waits for the reader once so much is on its way, and goes on when that is taken', async () => {
  const outflow = new Outflow();
  outflow.sent(MOST);
  await outflow.room();
  outflow.sent(1);
  let waited = false;
  const room = outflow.room().then(() => {
    waited = true;
  });
  await settle();
  expect(waited).toBe(false);
  // Frames are longer than what they carry.
  outflow.taken(50);
  await room;
});

it('keeps nobody waiting when the client is gone, and owes nothing for what was counted short', async () => {
  const outflow = new Outflow();
  outflow.sent(10 * MOST);
  const room = outflow.room();
  outflow.close();
  await room;
  outflow.taken(MOST);
  outflow.sent(MOST);
  await outflow.room();
});
