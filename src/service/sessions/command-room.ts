import type { CommandRequest } from '../../commands/index.ts';
import { ServiceError } from '../../errors.ts';
import { LongText } from '../../schemas/long-text.ts';
import type { Ledger } from '../admission/ledger.ts';
import { CHAR_BYTES } from '../supervision/command-run.ts';

const MB = 1024 * 1024;
/** Most bytes of commands that wait or run: per owner, and in total. */
export const COMMANDS = { perOwner: 256 * MB, total: 512 * MB };
/** What a command, and each value in it, takes beside its texts, about. */
const COMMAND_BYTES = 4096;
const VALUE_BYTES = 32;
/** What is held for a byte of input: the byte, and about as much in the message that it came in and its text, which are base64. */
const INPUT_COST = 4;
/** Shorter texts are not looked at. */
const LONG_TEXT = 1024;

/** Bytes that a command takes in memory until it has ended, about. */
export function commandBytes({ params }: Pick<CommandRequest, 'params'>): number {
  return COMMAND_BYTES + bytesOf(params);
}

/**
 * Counts commands from the call on until it has been answered. Over HTTP a client need not stay for the answer, and then
 * nothing but this bounds what it leaves waiting: standard input, files and patches of any number of commands. `beside`: what else
 * waits with them.
 * @throws {ServiceError} QUEUE_FULL
 */
export async function holdCommands<T>(
  ledger: Ledger,
  owner: string | null,
  commands: readonly CommandRequest[],
  act: () => Promise<T>,
  beside?: object,
): Promise<T> {
  const bytes = commands.reduce((sum, command) => sum + commandBytes(command), beside ? bytesOf(beside) : 0);
  return holdBytes(ledger, owner, bytes, act);
}

/** Counts input with them until its program has taken it, which may never be. @throws {ServiceError} QUEUE_FULL */
export function holdInput<T>(
  ledger: Ledger,
  owner: string | null,
  data: Uint8Array,
  act: () => Promise<T>,
): Promise<T> {
  return holdBytes(ledger, owner, INPUT_COST * data.byteLength, act);
}

async function holdBytes<T>(
  ledger: Ledger,
  owner: string | null,
  bytes: number,
  act: () => Promise<T>,
): Promise<T> {
  if (!ledger.take(owner, bytes)) {
    const most = ledger.mostOf(owner) / MB;
    throw new ServiceError(
      'QUEUE_FULL',
      `Commands that wait or run take the ${most} MB that they may take together; try again later`,
    );
  }
  try {
    // Before this returns: what is called in a row begins in that row.
    return await act();
  } finally {
    ledger.add(owner, -bytes);
  }
}

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return VALUE_BYTES + textBytes(value);
  if (value instanceof LongText) return VALUE_BYTES + value.bytes.length;
  if (typeof value !== 'object' || value === null) return VALUE_BYTES;
  let bytes = VALUE_BYTES;
  for (const name of Object.keys(value))
    bytes += VALUE_BYTES + CHAR_BYTES * name.length + bytesOf((value as Record<string, unknown>)[name]);
  return bytes;
}

/** A text of nothing but ASCII takes a byte for each character, any other up to two. */
function textBytes(text: string): number {
  const isShort = text.length < LONG_TEXT;
  return isShort || Buffer.byteLength(text) > text.length ? CHAR_BYTES * text.length : text.length;
}
