import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { BetterLayers } from '../../src/packages/better-layers.ts';
import { LayerStore } from '../../src/packages/layer-store.ts';
import { python } from '../../src/packages/python.ts';
import { languageNamed, MemoryRuntime } from '../unit/support/memory-runtime.ts';

const root = mkdtempSync(join(tmpdir(), 'codebeaker-better-'));
afterEach(() => void vi.useRealTimers());
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('what has waited for longer than all of it may take is not begun, and nothing waits for that', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let begun = 0;
  const store = new LayerStore(root, { maxBytes: 1e9 });
  const better = new BetterLayers({
    store,
    settings: {} as never,
    registries: {
      begin: () => {
        begun++;
        const registry = { tree: new PassThrough(), answer: new Promise(() => {}), ask() {} };
        return { registry, directory: root, async [Symbol.asyncDispose]() {} } as never;
      },
    },
  });
  // A program that never ends by itself.
  const runtime = new MemoryRuntime({
    script: async (_, { killed }) => {
      await new Promise(resolve => killed.addEventListener('abort', resolve));
      return { code: 0 };
    },
  });
  const language = languageNamed('python');
  const layer = { id: '', name: '', bytes: 0, installed: [] };
  const betters = async () => {
    const sandbox = await runtime.create({ language } as never);
    return better.inSandbox(layer, python, sandbox, new AsyncDisposableStack());
  };
  const [first, second] = [betters(), betters()];
  for (const each of [first, second]) each.catch(() => {});
  await vi.waitFor(() => expect(begun).toBe(1));
  vi.advanceTimersByTime(10 * 60_000);
  await expect(first).rejects.toThrow();
  await expect(second).rejects.toThrow('abort');
  expect(begun).toBe(1);
});
