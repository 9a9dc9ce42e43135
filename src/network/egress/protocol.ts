import type { Ceiling, PolicyTexts } from '../../network-rules/policy.ts';
import type { Refusal } from './first-bytes.ts';

/** Between the server and the egress process: JSON lines on descriptor 3. */
export const CONTROL_FD = 3;
/** Of one line, characters: a hundred rules each way, and names. */
export const MAX_LINE_LENGTH = 256 * 1024;

/** The first line to it. */
export interface EgressSetup {
  /** Becomes this user before it hears anything of anybody; null: stays who it is. */
  readonly uid: number | null;
  /** Name of the abstract socket that it is to listen on, without the leading NUL, and what the server says there first. */
  readonly socket: string;
  readonly key: string;
  readonly ceiling: Ceiling;
  /** Addresses of resolvers; empty: as the machine itself looks up names. */
  readonly resolvers: readonly string[];
  /** Address of a proxy that every connection goes through, credentials included; null for none. */
  readonly proxy: string | null;
  /** Name of a file of more certificates, for a proxy that is spoken to over TLS; null for none. */
  readonly certificates: string | null;
  /** Of one sandbox, both ways together. */
  readonly bytesPerSecond: number;
}

/** The first line of a connection of the server's: the relay's frames of a sandbox follow. */
export interface NetGreeting {
  readonly key: string;
  readonly net: number;
  readonly policy: PolicyTexts;
  /** Bytes that may pass, both ways together. */
  readonly bytes: number;
}

/** Or: the bytes of one connection to a port inside, after a byte of the process's that says that something listens there. */
export interface PortGreeting {
  readonly key: string;
  readonly net: number;
  readonly port: number;
}

export const CONNECTED = 43;

export type EgressRequest =
  /** Answered by `listening`, as a new connection is. */
  | { readonly op: 'policy'; readonly net: number; readonly policy: PolicyTexts }
  /** Answered by `usage`. */
  | { readonly op: 'usage'; readonly net: number };

export interface NetUsage {
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly connections: number;
  readonly denied: number;
}

export type DenialReason =
  | Refusal
  | 'not_allowed'
  | 'private_address'
  | 'not_found'
  | 'unreachable'
  | 'byte_limit';

export interface Denial {
  /** One of both. */
  readonly name: string | null;
  readonly address: string | null;
  /** Null: it was asked for, not connected to. */
  readonly port: number | null;
  readonly reason: DenialReason;
}

export type EgressEvent =
  | { readonly event: 'ready' }
  /** `refused`: a port that can't be listened on, and the error number of why not. */
  | {
      readonly event: 'listening';
      readonly net: number;
      readonly refused: { port: number; error: number } | null;
    }
  | { readonly event: 'denied'; readonly net: number; readonly denial: Denial }
  | { readonly event: 'usage'; readonly net: number; readonly usage: NetUsage }
  /** Its connection has ended, and this is what passed on it. */
  | { readonly event: 'over'; readonly net: number; readonly usage: NetUsage };
