import type { Readable } from 'node:stream';
import { LineReader } from '../../wire/line-reader.ts';

const MAX_LINE_BYTES = 1024 * 1024;

interface Message {
  readonly stream?: unknown;
  readonly status?: unknown;
  readonly progress?: unknown;
  readonly error?: unknown;
}

/**
 * Reads the progress messages of a long call to their end, line by line.
 * @throws the error that the engine reports, and for messages that can't be read
 */
export async function follow(stream: Readable, report: (line: string) => void = () => {}): Promise<void> {
  const lines = new LineReader(MAX_LINE_BYTES);
  for await (const chunk of stream) {
    for (const line of lines.push(chunk))
      if (line.trim()) reportMessage((JSON.parse(line) ?? {}) as Message, report);
  }
}

function reportMessage({ stream, status, progress, error }: Message, report: (line: string) => void): void {
  if (error !== undefined) throw new Error(String(error));
  const text = stream ?? (progress ? '' : status) ?? '';
  for (const part of String(text).split('\n')) {
    // The final state of a line that was overwritten with carriage returns.
    const last = part.slice(part.lastIndexOf('\r') + 1).trimEnd();
    if (last && !last.startsWith('(Reading database')) report(last);
  }
}
