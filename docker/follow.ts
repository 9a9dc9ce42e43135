import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

interface Message {
  readonly stream?: string;
  readonly status?: string;
  readonly progress?: string;
  readonly error?: string;
}

/** Reads the engine's own account of a long call to its end, a line at a time. @throws with what it says went wrong */
export async function follow(stream: Readable, say: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream })) {
    const { stream: text, status, progress, error } = JSON.parse(line) as Message;
    if (error !== undefined) throw new Error(error);
    const said = text ?? (progress ? '' : status) ?? '';
    for (const part of said.split('\n')) {
      // Of a line that was written over and over, how it ended.
      const last = part.slice(part.lastIndexOf('\r') + 1).trimEnd();
      if (last && !last.startsWith('(Reading database')) say(last);
    }
  }
}
