import { ServiceError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import { InstallFailed } from './install-failed.ts';
import type { InstallRequest } from './install-request.ts';
import type { Layer } from './layer.ts';
import { REASONS } from './registry/facts.ts';
import { RegistryLost } from './registry-process.ts';

/** How a request for packages may end. */
export const INSTALL_OUTCOMES = [
  'installed',
  'cached',
  'shared',
  ...REASONS,
  'conflict',
  'timeout',
  'cancelled',
  'internal',
] as const;
type Outcome = (typeof INSTALL_OUTCOMES)[number];

export type InstallMetrics = Pick<Metrics, 'installs' | 'installSeconds' | 'installedBytes' | 'confinedLost'>;

/** Logs and counts what becomes of requests for packages. No name of a package is logged: clients write them. */
export class InstallRecords {
  readonly #metrics: InstallMetrics;

  constructor(metrics: InstallMetrics) {
    this.#metrics = metrics;
  }

  cached(request: InstallRequest, { id }: Layer): void {
    this.#count(request, 'cached');
    request.log.debug({ ...about(request), layer: id }, 'a layer of packages was there');
  }

  shared(request: InstallRequest): void {
    this.#count(request, 'shared');
    request.log.debug(about(request), 'packages are being installed already');
  }

  begin(request: InstallRequest): { installed(layer: Layer): void; failed(error: unknown): void } {
    const startedAt = performance.now();
    const tookMs = () => Math.round(performance.now() - startedAt);
    request.log.debug(about(request), 'packages are being installed');
    return {
      installed: layer => this.#installed(request, layer, tookMs()),
      failed: error => this.#failed(request, error, tookMs()),
    };
  }

  #installed(request: InstallRequest, { id, bytes, installed }: Layer, tookMs: number): void {
    const { name: ecosystem } = request.ecosystem;
    this.#count(request, 'installed');
    this.#metrics.installSeconds.observe({ ecosystem }, tookMs / 1000);
    this.#metrics.installedBytes.inc({ ecosystem }, bytes);
    const made = { packages: installed.length, bytes, layer: id, tookMs };
    request.log.debug({ ...about(request), ...made }, 'packages were installed');
  }

  /** As other refusals are: at `info` where no client could have avoided it. What is unexpected is logged where it is answered. */
  #failed(request: InstallRequest, error: unknown, tookMs: number): void {
    const outcome = outcomeOf(error);
    this.#count(request, outcome);
    if (error instanceof RegistryLost) this.#metrics.confinedLost.inc({ process: 'registry' });
    const level = outcome === 'registry_unreachable' || outcome === 'internal' ? 'info' : 'debug';
    request.log[level]({ ...about(request), outcome, tookMs }, 'packages were not installed');
  }

  #count({ ecosystem: { name: ecosystem } }: InstallRequest, outcome: Outcome): void {
    this.#metrics.installs.inc({ ecosystem, outcome });
  }
}

function about({ ecosystem, list, runtime }: InstallRequest) {
  return { ecosystem: ecosystem.name, runtime: runtime.type, asked: list.length };
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof InstallFailed) return error.reason;
  return error instanceof ServiceError && error.code === 'CANCELLED' ? 'cancelled' : 'internal';
}
