import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, type Registry } from '@prometheus-io/client';
import type { InUse } from './use.ts';

/** Between two looks at the event loop, milliseconds. */
const RESOLUTION_MS = 10;
const NS_PER_SECOND = 1e9;
/** Of the library's own looks, milliseconds: never. */
const NEVER = 2 ** 31 - 1;
/** What the library makes of them. */
const OF_ITS_LOOKS = ['nodejs_eventloop_utilization_summary', 'nodejs_eventloop_utilization_histogram'];

type Delay = ReturnType<typeof monitorEventLoopDelay>;

/** By the names that services on Node.js are watched by. */
const nameOf = (part: string) => `nodejs_eventloop_lag_${part}_seconds`;
const PARTS: readonly [part: string, of: (delay: Delay) => number][] = [
  ['min', delay => delay.min],
  ['max', delay => delay.max],
  ['mean', delay => delay.mean],
  ['stddev', delay => delay.stddev],
  ['p50', delay => delay.percentile(50)],
  ['p90', delay => delay.percentile(90)],
  ['p99', delay => delay.percentile(99)],
];

/**
 * The library's metrics of the process, but those for which it would wake an idle one a hundred times a second: how late the event loop is
 * is measured only while the service is used, and 0 otherwise, and how busy it is since it was last asked.
 */
export function measureProcess(registry: Registry): InUse {
  collectDefaultMetrics({
    register: registry,
    eventLoopMonitoringPrecision: NEVER,
    eventLoopUtilizationTimeout: NEVER,
  });
  for (const name of [...PARTS.map(([part]) => nameOf(part)), ...OF_ITS_LOOKS])
    registry.removeSingleMetric(name);
  measureUtilization(registry);
  return measureDelay(registry);
}

function measureUtilization(registry: Registry): void {
  let before = performance.eventLoopUtilization();
  new Gauge({
    name: 'nodejs_eventloop_utilization',
    help: 'Share of the time since the last look that the event loop was busy',
    registers: [registry],
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, before).utilization);
      before = now;
    },
  });
}

function measureDelay(registry: Registry): InUse {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  for (const [i, [part, of]] of PARTS.entries())
    new Gauge({
      name: nameOf(part),
      help: `Between two turns of the event loop, ${part} since the last look, while the service is used`,
      registers: [registry],
      collect() {
        this.set(delay.count > 0 ? of(delay) / NS_PER_SECOND : 0);
        if (i === PARTS.length - 1) delay.reset();
      },
    });
  return { begin: () => void delay.enable(), rest: () => void delay.disable() };
}
