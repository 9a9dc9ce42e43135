import { Counter, Histogram, Registry } from '@prometheus-io/client';
import { measureProcess } from './event-loop.ts';
import { Use } from './use.ts';

/** Upper bounds of the histograms' buckets, seconds: from a warm session's command to the longest run. */
export const SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 300];

/** The service's own metrics, served at /metrics. Doors add theirs to the registry. */
export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const use = new Use();
  use.add(measureProcess(registry));
  return {
    registry,
    /** Whether the service is used; its calls tell. */
    use,
    queueWait: new Histogram({
      name: 'codebeaker_queue_wait_seconds',
      help: 'How long one-shots and cells waited for their turn',
      buckets: SECONDS,
      registers,
    }),
    sandboxCreation: new Histogram({
      name: 'codebeaker_sandbox_creation_seconds',
      help: 'From the request for a sandbox until it was there, by runtime and by whether it waited in a pool',
      labelNames: ['runtime', 'pool'],
      buckets: SECONDS,
      registers,
    }),
    failedStarts: new Counter({
      name: 'codebeaker_sandbox_starts_failed',
      help: 'Sandboxes that could not be started; filters: for want of room for a compiled filter',
      labelNames: ['runtime', 'reason'],
      registers,
    }),
    runs: new Counter({
      name: 'codebeaker_runs_total',
      help: 'Programs and cells that ended, by language, runtime and outcome',
      labelNames: ['language', 'runtime', 'outcome'],
      registers,
    }),
    runSeconds: new Histogram({
      name: 'codebeaker_run_seconds',
      help: 'Wall time of programs and cells, by language and runtime',
      labelNames: ['language', 'runtime'],
      buckets: SECONDS,
      registers,
    }),
    sessionsCreated: new Counter({
      name: 'codebeaker_sessions_created_total',
      help: 'Sessions opened, by language and runtime',
      labelNames: ['language', 'runtime'],
      registers,
    }),
    sessionsClosed: new Counter({
      name: 'codebeaker_sessions_closed_total',
      help: 'Sessions that ended, by why',
      labelNames: ['reason'],
      registers,
    }),
    codingSeconds: new Counter({
      name: 'codebeaker_coding_seconds_total',
      help: "Estimated CPU time of compressing and decompressing clients' files, by coding and direction",
      labelNames: ['coding', 'direction'],
      registers,
    }),
    installs: new Counter({
      name: 'codebeaker_installs_total',
      help: 'Lists of packages that were asked for, by ecosystem and outcome; cached: a layer was there; shared: with who asked first',
      labelNames: ['ecosystem', 'outcome'],
      registers,
    }),
    installSeconds: new Histogram({
      name: 'codebeaker_install_seconds',
      help: 'How long installs took that made a layer, without waiting for their turn, by ecosystem',
      labelNames: ['ecosystem'],
      buckets: SECONDS,
      registers,
    }),
    installedBytes: new Counter({
      name: 'codebeaker_installed_bytes_total',
      help: 'Bytes of the layers that installs made, by ecosystem',
      labelNames: ['ecosystem'],
      registers,
    }),
    confinedLost: new Counter({
      name: 'codebeaker_confined_processes_lost_total',
      help: 'Processes for networks (egress) and registries that ended before their work was done; others take their place',
      labelNames: ['process'],
      registers,
    }),
    calls: new Counter({
      name: 'codebeaker_calls_total',
      help: 'Calls of the service by operation and error code, ok without',
      labelNames: ['operation', 'code'],
      registers,
    }),
  };
}
