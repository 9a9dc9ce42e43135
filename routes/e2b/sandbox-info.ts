import { LIMITS } from '../../src/schemas/limits.ts';
import type { SessionInfo } from '../../src/schemas/session.ts';
import type { Sandbox } from './sandboxes.ts';

/**
 * The version of their daemon whose calls are served, by which clients know what they may ask for: metadata of files (0.6.2), events
 * of a watch with what they are about (0.6.3), and what else theirs has by this one.
 */
const DAEMON_VERSION = '0.6.13';
const MINUTE_MS = 60_000;
/** Part of its memory that its files may take. */
const DISK_SHARE = 2;

/** What a client needs to reach a sandbox. */
export function accessTo({ id, template, token, trafficToken, domain }: Sandbox): object {
  return {
    templateID: template,
    sandboxID: id,
    clientID: 'codebeaker',
    envdVersion: DAEMON_VERSION,
    envdAccessToken: token,
    trafficAccessToken: trafficToken,
    domain,
  };
}

/** What is told of one that runs. */
export function sandboxInfo(sandbox: Sandbox, { createdAt, config }: SessionInfo): object {
  const { id, template, egress, publicTraffic } = sandbox;
  const { maxLifetimeMinutes, memoryLimitMB, cpuShares, metadata } = config as Required<typeof config>;
  const endAt = new Date(Date.parse(createdAt) + maxLifetimeMinutes * MINUTE_MS);
  return {
    templateID: template,
    alias: template,
    sandboxID: id,
    clientID: 'codebeaker',
    envdVersion: DAEMON_VERSION,
    startedAt: createdAt,
    endAt: endAt.toISOString(),
    state: 'running',
    cpuCount: Math.ceil(cpuShares / LIMITS.sharesPerCore),
    memoryMB: memoryLimitMB,
    diskSizeMB: Math.floor(memoryLimitMB / DISK_SHARE),
    metadata,
    lifecycle: { onTimeout: 'kill', autoResume: false },
    allowInternetAccess: egress?.allowInternetAccess ?? false,
    network: {
      ...(egress && { allowOut: egress.allowOut, denyOut: egress.denyOut }),
      allowPublicTraffic: publicTraffic,
    },
  };
}
