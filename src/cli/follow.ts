import type { RunEvent } from '../client/inbox.ts';
import { bytesOf, type Run } from '../client/run.ts';
import type { StatusResponse } from '../client/wire.ts';
import { Progress, tell, write } from './print.ts';

type Event<T> = Extract<RunEvent, { type: T }>;

const MB = 1_000_000;
/** Refused connections that are told; the rest is counted. */
const MOST_DENIALS = 20;

/** Hands on what a run prints, as it comes, to where it belongs. Resolves to how it ended. */
export async function follow(run: Run): Promise<StatusResponse> {
  const progress = new Progress();
  let denials = 0;
  for await (const event of run) {
    progress.clear();
    if (event.type === 'output')
      await write(event.stream === 'stdout' ? process.stdout : process.stderr, bytesOf(event));
    else if (event.type === 'result') await write(process.stdout, shown(event));
    else if (event.type === 'progress') progress.show(inWords(event));
    else if (event.type === 'lost') tell(`${event.count} events are lost: the server keeps only so many`);
    else if (event.type === 'network.denied' && ++denials <= MOST_DENIALS)
      tell(`no connection to ${event.name ?? event.address}: ${event.reason}`);
  }
  return run.result();
}

/** A result of a cell, as text; what has none is named. */
function shown({ mimeBundle }: Event<'result'>): string {
  const text = mimeBundle['text/plain'];
  const line = typeof text === 'string' ? text : `(${Object.keys(mimeBundle).join(', ')})`;
  return line.endsWith('\n') ? line : `${line}\n`;
}

export function inWords({ phase, message, package: name, bytes, totalBytes }: Event<'progress'>): string {
  // Of what is small there is nothing to wait for.
  const isLarge = Math.max(bytes ?? 0, totalBytes ?? 0) >= MB / 10;
  const done = isLarge && bytes !== undefined ? `${(bytes / MB).toFixed(1)} MB` : '';
  const all = isLarge && totalBytes !== undefined ? `of ${(totalBytes / MB).toFixed(1)} MB` : '';
  return [phase ?? message, name, done, all].filter(Boolean).join(' ');
}

/** Why it did not end by itself, or was not begun; undefined where its exit code and what it printed say enough. */
export function complaintOf({ outcome, usage, message }: StatusResponse): string | undefined {
  switch (outcome) {
    case 'wall_timeout':
    case 'cpu_timeout':
      return `it was ended after ${((usage?.wallMs ?? 0) / 1000).toFixed(1)} s (${outcome})`;
    case 'memory_limit':
    case 'output_limit':
    case 'process_limit':
    case 'disk_limit':
    case 'sandbox_lost':
    case 'cancelled':
      return outcome.replace('_', ' ');
    case null:
      return message ?? 'it was not begun';
    default:
      return undefined;
  }
}
