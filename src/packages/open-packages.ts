import type { CallLog } from '../call-log.ts';
import { Users } from '../launcher/users.ts';
import type { Metrics } from '../metrics.ts';
import { findInterpreters, findNodeHeaders } from '../runtimes/interpreters.ts';
import { countLayers } from './count-layers.ts';
import type { LayerStore } from './layer-store.ts';
import { machineGoIndex } from './machine-go-settings.ts';
import { machineCertificates, machineNpmRegistry, machinePythonIndex } from './machine-settings.ts';
import { Packages, type Turns } from './packages.ts';
import { RegistryProcesses } from './registry-processes.ts';

/** What of the configuration is about packages. */
export interface PackagesConfig {
  readonly packagesDeny: readonly string[];
  readonly packagesMinAgeDays: number;
  readonly packagesTtlSeconds: number;
  readonly indexPython?: string | undefined;
  readonly indexNode?: string | undefined;
  readonly indexGo?: string | undefined;
  readonly caFile?: string | undefined;
}

/** The packages of a server; `turns` bounds how many lists are installed at once. */
export function openPackages(parts: {
  store: LayerStore;
  config: PackagesConfig;
  instance: string;
  environment: Readonly<Record<string, string | undefined>>;
  turns: Turns;
  metrics: Metrics;
  log: CallLog;
}): Packages {
  const { store, config, environment, turns, metrics, log } = parts;
  countLayers(metrics.registry, store);
  const users = process.getuid?.() === 0 ? new Users(parts.instance, 'registry') : null;
  const { indexPython = machinePythonIndex(environment), indexNode } = config;
  const go = machineGoIndex(environment, config.indexGo);
  const except = go.checksums?.except;
  if (!go.checksums) log.warn({}, 'no checksum database is asked about modules of Go: GOSUMDB is off here');
  else if (except) log.info({ modules: except }, 'no checksum database is asked about these modules of Go');
  const settings = {
    indexes: {
      python: { url: indexPython, authorization: null },
      npm:
        indexNode === undefined ? machineNpmRegistry(environment) : { url: indexNode, authorization: null },
      go,
    },
    bun: () => findInterpreters()?.bun ?? null,
    nodeHeaders: findNodeHeaders,
    deny: config.packagesDeny,
    minAgeDays: config.packagesMinAgeDays,
    certificates: config.caFile ?? machineCertificates(environment),
    ttlMs: config.packagesTtlSeconds * 1000,
  };
  const registries = new RegistryProcesses({ store, settings, users });
  return new Packages({ store, settings, turns, registries, metrics });
}
