import type { CallLog } from '../call-log.ts';
import { Users } from '../launcher/users.ts';
import type { Metrics } from '../metrics.ts';
import { ceilingOf } from '../network-rules/settings.ts';
import { countTraffic } from './count-traffic.ts';
import { Networks } from './networks.ts';

/** What of the configuration is about networks. */
export interface NetworkConfig {
  readonly network: readonly string[];
  readonly networkPrivate: readonly string[];
  readonly networkResolvers: readonly string[];
  readonly networkBytes: number;
  readonly networkBytesPerSecond: number;
  readonly egressProxy?: string | undefined;
  readonly caFile?: string | undefined;
}

/** The networks of a server. Closed by who opens them, after the service. */
export function openNetworks(
  config: NetworkConfig,
  { instance, metrics, log }: { instance: string; metrics: Metrics; log: CallLog },
): Networks {
  const ceiling = ceilingOf(config.network, config.networkPrivate);
  const settings = {
    ceiling,
    resolvers: config.networkResolvers,
    proxy: config.egressProxy ?? null,
    certificates: config.caFile ?? null,
    bytesPerSecond: config.networkBytesPerSecond,
    bytes: config.networkBytes,
  };
  const uid = process.getuid?.() === 0 ? new Users(instance, 'egress').take() : null;
  const onLost = () => metrics.confinedLost.inc({ process: 'egress' });
  const networks = new Networks(settings, { uid, log, onLost });
  countTraffic(metrics.registry, networks);
  return networks;
}
