import { Counter, type Registry } from '@prometheus-io/client';
import type { Totals } from './egress/protocol.ts';

/** Shows what all networks have done, as the egress process counts it. */
export function countTraffic(registry: Registry, networks: { totals(): Promise<Totals> }): void {
  const counter = (
    name: string,
    help: string,
    labelNames: string[],
    read: (totals: Totals) => readonly (readonly [Record<string, string>, number])[],
  ) =>
    new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const series = read(await networks.totals());
        this.reset();
        for (const [labels, count] of series) this.inc(labels, count);
      },
    });
  counter(
    'codebeaker_network_bytes_total',
    "Bytes that passed on programs' connections",
    ['direction'],
    ({ bytesIn, bytesOut }) => [
      [{ direction: 'in' }, bytesIn],
      [{ direction: 'out' }, bytesOut],
    ],
  );
  counter(
    'codebeaker_network_connections_total',
    'Connections of programs that reached a server',
    [],
    totals => [[{}, totals.connections]],
  );
  counter('codebeaker_network_look_ups_total', 'Names that were looked up for programs', [], totals => [
    [{}, totals.lookUps],
  ]);
  counter(
    'codebeaker_network_denied_total',
    'Names and connections that programs were refused, by why',
    ['reason'],
    ({ denied }) => Object.entries(denied).map(([reason, count]) => [{ reason }, count] as const),
  );
}
