import { expect, test } from 'vitest';
import { InstalledAdapters } from '../../../src/service/debugging/adapters.ts';
import type { Session } from '../../../src/service/sessions/session.ts';
import { debugpy } from '../../../src/toolchains/debugpy.ts';
import { openService } from '../support/open-service.ts';

const wheel = debugpy.wheel!;
const installedOf = (name: string) => ({
  id: name,
  name,
  bytes: 1,
  installed: [{ name: wheel.project, version: wheel.version, bytes: 1, digest: `sha256:${wheel.sha256}` }],
});

test('a session that began with a debugger’s sources starts it from what is compiled, once that is there', async () => {
  const ended = Promise.withResolvers<void>();
  const session = { id: 's', ended: ended.promise, lease: { request: {} } } as unknown as Session;
  const shown: string[] = [];
  let name = 'sources';
  let held = 0;
  const adapters = new InstalledAdapters({
    async install() {
      held++;
      return { layer: installedOf(name), cached: true, [Symbol.dispose]: () => void held-- };
    },
    show: async layer => void shown.push(layer.name),
  });
  const call = openService({}).call();
  const start = () => adapters.show(session, wheel, call);
  expect(await Promise.all([start(), start()])).toEqual(Array(2).fill('/packages/sources/python'));
  name = 'compiled';
  for (let i = 0; i < 2; i++) expect(await start()).toBe('/packages/compiled/python');
  expect(shown).toEqual(['sources', 'compiled']);
  expect(held).toBe(2);
  ended.resolve();
  await expect.poll(() => held).toBe(0);
});
