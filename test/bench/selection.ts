import { findLanguage } from '../../src/languages/index.ts';
import type { Runtime } from '../../src/runtimes/runtime.ts';
import { selectRuntime } from '../../src/service/placement/runtime-selector.ts';
import { MemoryRuntime } from '../unit/support/memory-runtime.ts';
import { type Figure, figure } from './measure.ts';
import type { Setting } from './setting.ts';

const BATCH = 1000;
const US_PER_MS = 1000;

/** The decision alone, among five candidates. */
export async function selection(setting: Setting): Promise<Figure[]> {
  setting.say('choice of a runtime');
  const { language } = findLanguage('javascript')!;
  const candidate = (type: Runtime['type'], startupMs: number): Runtime =>
    new MemoryRuntime({
      type,
      toolchains: language.toolchains,
      state: { available: true, version: '1', startupMs, memoryMB: startupMs },
    });
  const types = ['Bun', 'Deno', 'NodeJs', 'Python', 'Docker'] as const;
  const runtimes = types.map((type, i) => candidate(type, 10 + i));
  const samples: number[] = [];
  for (let i = 0; i < 200; i++) {
    const startedAt = performance.now();
    for (let j = 0; j < BATCH; j++)
      selectRuntime(runtimes, { language, preference: 'Balanced', forced: undefined, request: {} });
    samples.push(((performance.now() - startedAt) * US_PER_MS) / BATCH);
  }
  return [figure('selection', 'among five candidates', 'µs', samples)];
}
