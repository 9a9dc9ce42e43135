import { Registry } from '@prometheus-io/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { measureProcess } from '../../src/event-loop.ts';
import { MemoryBack } from '../../src/memory-back.ts';
import { createMetrics } from '../../src/metrics.ts';
import { Use } from '../../src/use.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched() {
  const use = new Use(1000);
  const told: string[] = [];
  use.add({ begin: () => told.push('begin'), rest: () => told.push('rest') });
  return { use, told };
}

it('a service comes into use with a call, and is at rest when none has come for a while', () => {
  const { use, told } = watched();
  vi.advanceTimersByTime(5000);
  expect(told).toEqual([]);
  use.begin();
  use.end();
  vi.advanceTimersByTime(900);
  use.begin();
  use.end();
  vi.advanceTimersByTime(900);
  expect(told).toEqual(['begin']);
  vi.advanceTimersByTime(200);
  expect(told).toEqual(['begin', 'rest']);
  expect(vi.getTimerCount()).toBe(0);
  use.begin();
  expect(told).toEqual(['begin', 'rest', 'begin']);
});

it('a service is not at rest while a call is under way', () => {
  const { use, told } = watched();
  use.begin();
  vi.advanceTimersByTime(10_000);
  expect(told).toEqual(['begin']);
  use.end();
  vi.advanceTimersByTime(2000);
  expect(told).toEqual(['begin', 'rest']);
});

it('what is added to a service in use begins at once', () => {
  const { use } = watched();
  use.begin();
  const begin = vi.fn();
  use.add({ begin, rest() {} });
  expect(begin).toHaveBeenCalledOnce();
});

it('memory is given back at rest, and the longer that took the later again', () => {
  const took = [50, 2000, 50];
  const collect = vi.fn(() => void vi.advanceTimersByTime(took.shift()!));
  const use = new Use(1000);
  use.add(new MemoryBack(collect));
  const useAndRest = () => {
    use.begin();
    use.end();
    vi.advanceTimersByTime(1000);
  };
  useAndRest();
  expect(collect).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(5000);
  useAndRest();
  expect(collect).toHaveBeenCalledTimes(2);
  for (let i = 0; i < 10; i++) useAndRest();
  expect(collect).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(200_000);
  expect(collect).toHaveBeenCalledTimes(3);
  expect(vi.getTimerCount()).toBe(0);
});

it('the delay of the event loop is measured in use, from the last look on, and 0 at rest', async () => {
  vi.useRealTimers();
  const registry = new Registry();
  const part = measureProcess(registry);
  const max = async () =>
    (await registry.getSingleMetric('nodejs_eventloop_lag_max_seconds')!.get()).values[0]!.value;
  /** What it is once the loop has been held for some turns, of which a late one counts from the next on. */
  const held = async () => {
    for (let turn = 0; turn < 2; turn++) {
      const until = performance.now() + 30;
      while (performance.now() < until);
      await new Promise(resolve => setTimeout(resolve, 1));
    }
    return max();
  };
  expect(await held()).toBe(0);
  part.begin!();
  await expect.poll(held).toBeGreaterThan(0.025);
  part.rest();
  expect(await max()).toBeGreaterThan(0.025);
  await registry.metrics();
  expect(await held()).toBe(0);
});

it('what is measured of the event loop goes by the names that it has elsewhere, each once', async () => {
  vi.useRealTimers();
  const text = await createMetrics().registry.metrics();
  for (const part of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'])
    expect(text.match(new RegExp(`^nodejs_eventloop_lag_${part}_seconds 0$`, 'gm'))).toHaveLength(1);
  expect(text).toMatch(/^nodejs_eventloop_utilization (0|1|0\.\d+)$/m);
  expect(text).not.toMatch(/utilization_/);
});
