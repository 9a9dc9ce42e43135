import { readFileSync } from 'node:fs';
import type { Layer } from './layer.ts';
import type { Description } from './layer-description.ts';

/** Of what a server before this one has made in an earlier way, nothing is believed: an id was then what an install said. */
export const WAY_OF_MAKING = 2;

/** What is kept on disk of a layer, beside its files. */
export interface LayerRecord extends Layer {
  /** Requests that it answers, and when each was resolved: milliseconds since 1970. */
  keys: Record<string, number>;
  /** Of the machine's start in which it was written; what was not surely on disk then is not believed after another. */
  boot: string;
  onDisk: boolean;
  /** Names of those that it was joined of: while they are there, it shares the bytes of theirs. */
  parts?: readonly string[];
  /** What it takes on disk beyond its bytes. */
  overhead?: number;
  /** Whose build it is, if it is one. */
  builder?: string | undefined;
  /** {@link WAY_OF_MAKING} of the server that has made it. */
  way: number;
  /** The artifact that it was made of, as `describedAs` names it (registry/protocol.ts), and which of its files is about that. */
  tellsOf?: { artifact: string; about: Description };
}

/** Null for what is none. */
export function readRecord(path: string): LayerRecord | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LayerRecord;
  } catch {
    return null;
  }
}
