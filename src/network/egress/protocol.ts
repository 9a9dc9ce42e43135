import type { ConfinedSetup } from '../../confined/protocol.ts';
import type { Ceiling, PolicyTexts } from '../../network-rules/policy.ts';
import { REFUSALS } from './first-bytes.ts';
import type { PortRequest } from './port-frames.ts';

/** Of one line between the server and the egress process, characters: a hundred rules each way, and names. */
export const MAX_LINE_LENGTH = 256 * 1024;

/** The first line to it. */
export interface EgressSetup extends ConfinedSetup {
  /** Name of the abstract socket that it is to listen on, without the leading NUL, and what the server says there first. */
  readonly socket: string;
  readonly key: string;
  readonly ceiling: Ceiling;
  /** Addresses of resolvers; empty: as the machine itself looks up names. */
  readonly resolvers: readonly string[];
  /** Address of a proxy that every connection goes through, credentials included; null for none. */
  readonly proxy: string | null;
  /** Of one sandbox, both ways together. */
  readonly bytesPerSecond: number;
}

/**
 * The first line of a connection of the server's: the relay's frames of a sandbox follow. A network that is known goes on with what it has
 * used of its bounds, and a connection that it had is over.
 */
export interface NetworkGreeting {
  readonly key: string;
  readonly network: number;
  /** Nothing is known of the network yet. */
  readonly first: boolean;
  readonly policy: PolicyTexts;
  /** Bytes that may pass, both ways together. */
  readonly bytes: number;
  /** Programs may ask for names, and connect to the ports of the rules; false: the service alone connects, to what listens inside. */
  readonly outward: boolean;
}

/** Or: the bytes of one connection to a port inside, after a byte of the process's that says that something listens there. */
export interface PortGreeting {
  readonly key: string;
  readonly network: number;
  readonly port: number;
  /** Frames of one HTTP exchange (port-frames.ts) instead of bytes. */
  readonly request?: PortRequest;
}

export const CONNECTED = 43;

export type EgressRequest =
  /** Answered by `listening`, as a new connection is. */
  | { readonly op: 'policy'; readonly network: number; readonly policy: PolicyTexts }
  /** Answered by `usage`. */
  | { readonly op: 'usage'; readonly network: number }
  /** Forgets it. */
  | { readonly op: 'end'; readonly network: number }
  /** Answered by `totals`. */
  | { readonly op: 'totals' };

export interface NetworkUsage {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly connections: number;
  readonly denied: number;
}

export const DENIAL_REASONS = [
  ...REFUSALS,
  'not_allowed',
  'private_address',
  'not_found',
  'unreachable',
  'byte_limit',
] as const;
export type DenialReason = (typeof DENIAL_REASONS)[number];

/** Of all networks together, since the process began. */
export interface Totals {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly connections: number;
  readonly lookUps: number;
  readonly denied: Readonly<Record<DenialReason, number>>;
}

export interface Denial {
  /** One of both. */
  readonly name: string | null;
  readonly address: string | null;
  /** Null: it was asked for, not connected to. */
  readonly port: number | null;
  readonly reason: DenialReason;
}

export const NO_TOTALS: Totals = {
  bytesIn: 0,
  bytesOut: 0,
  connections: 0,
  lookUps: 0,
  denied: Object.fromEntries(DENIAL_REASONS.map(reason => [reason, 0])) as Totals['denied'],
};

export type EgressEvent =
  | { readonly event: 'ready' }
  /** `refused`: a port that can't be listened on, and the error number of why not. */
  | {
      readonly event: 'listening';
      readonly network: number;
      readonly refused: { port: number; error: number } | null;
    }
  | { readonly event: 'denied'; readonly network: number; readonly denial: Denial }
  | { readonly event: 'usage'; readonly network: number; readonly usage: NetworkUsage }
  | { readonly event: 'totals'; readonly totals: Totals };
