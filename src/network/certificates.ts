import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';

/** What programs with a network are to trust, in PEM: what this machine trusts, and what the operator adds. */
export function certificatesFor(caFile: string | undefined): string {
  const own = caFile === undefined ? [] : [readFileSync(caFile, 'utf8').trim()];
  const all = [...getCACertificates('default'), ...getCACertificates('system'), ...own];
  return `${[...new Set(all.map(text => text.trim()))].join('\n')}\n`;
}
