import { expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import type { Runtime } from '../src/runtimes/runtime.ts';
import { startupReport } from '../src/startup-report.ts';
import { MemoryRuntime } from './unit/support/memory-runtime.ts';

const runtime = (type: Runtime['type'], state: Runtime['state']) => new MemoryRuntime({ type, state });
const python = runtime('Python', { available: true, version: '3.11.2', startupMs: 21.4, memoryMB: 4 });
const bun = runtime('Bun', {
  available: false,
  reason: 'bubblewrap is not installed',
  remedy: 'apt-get install bubblewrap',
  version: null,
});

test('the report shows each runtime, or why not and the cure', () => {
  const report = startupReport(readConfig({}), [python, bun]);
  expect(report).toMatch(/Python +3\.11\.2 +isolation 7\/10, 21 ms to start: python/);
  expect(report).toMatch(/Bun +unavailable: bubblewrap is not installed\n +Cure: apt-get install bubblewrap/);
  expect(report).not.toContain('No runtime is available');
  expect(startupReport(readConfig({}), [bun])).toContain('No runtime is available');
});

test('the report shows no key', () => {
  const config = readConfig({
    CODEBEAKER_API_KEYS: 'a-secret-key',
  });
  const report = startupReport(config, [bun]);
  expect(report).not.toContain('a-secret-key');
});
