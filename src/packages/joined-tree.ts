import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { promisify } from 'node:util';
import { AGENT_FILE, joinWords } from '../agent/artifact.ts';
import { LAYER_BOUNDS } from './layer.ts';

/** What an entry of a tree takes on disk at least, also one that is empty; and of one that shares its files a directory and a name. */
const ENTRY_BYTES = 2048;
const DIRECTORY_BYTES = 4096;
const NAME_TAKES_BYTES = 64;
/** A letter and a size, as `find` prints them of each. */
const MAX_LINE_BYTES = 24;
/** For linking what a tree is joined of, milliseconds. */
const JOIN_MS = 60_000;
const run = promisify(execFile);

/** Trees can't be put together, such as by a file system that gives a file no more links. */
export class Unjoinable extends Error {}

/** Something in place of which a tree is made. */
interface Incoming {
  readonly tree: string;
  /** What its maker says that its files hold. */
  readonly bytes: number;
}

/**
 * Makes `tree` of all that `sources` hold and of what is in `incoming`, which is gone then: files of `sources` are linked and not copied, by a program
 * that parses nothing of them; of two with one name the later's stays. Resolves to what it takes on disk beside the bytes that they are said to have.
 * @throws {Unjoinable}
 */
export async function joinTrees(
  tree: string,
  sources: readonly string[],
  incoming: Incoming | null,
): Promise<number> {
  try {
    if (incoming === null) mkdirSync(tree);
    else await rename(incoming.tree, tree);
    const untold = incoming === null ? 0 : Math.max(0, (await measured(tree)).bytes - incoming.bytes);
    const words = joinWords(LAYER_BOUNDS.entries, tree, sources);
    const { stdout } = await run(AGENT_FILE, words, { timeout: JOIN_MS, env: {} });
    const [entries = 0, directories = 0] = stdout.split(' ').map(Number);
    return directories * DIRECTORY_BYTES + entries * NAME_TAKES_BYTES + untold;
  } catch (error) {
    throw new Unjoinable((error as Error).message);
  }
}

/** What a tree takes on disk beyond the bytes that its maker says, who may say less than there are; most of all one of many empty entries. */
export async function overheadOf(tree: string, bytes: number): Promise<number> {
  const found = await measured(tree);
  return Math.max(0, found.entries * ENTRY_BYTES - bytes, found.bytes - bytes);
}

async function measured(tree: string): Promise<{ entries: number; bytes: number }> {
  const maxBuffer = (LAYER_BOUNDS.entries + 1) * MAX_LINE_BYTES;
  const { stdout } = await run('find', [tree, '-printf', '%y%s\n'], { maxBuffer });
  const lines = stdout.split('\n').slice(0, -1);
  const bytes = lines.reduce((sum, line) => sum + (line.startsWith('f') ? Number(line.slice(1)) : 0), 0);
  return { entries: lines.length, bytes };
}
