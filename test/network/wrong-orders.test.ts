import { expect, test } from 'vitest';
import { EgressProcess } from '../../src/network/egress-process.ts';

test('an egress process that can’t follow the server any more ends, and does not go on deaf', async () => {
  await using egress = await EgressProcess.start({
    uid: null,
    ceiling: { allow: [], deny: [], private: [] },
    resolvers: [],
    proxy: null,
    certificates: null,
    bytesPerSecond: 1024,
  });
  egress.ask(null as never);
  await egress.ended;
  expect(egress.dead).toBe(true);
});
