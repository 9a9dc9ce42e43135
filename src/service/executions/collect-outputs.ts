import { encodeContent, isText } from '../../commands/content.ts';
import { FileRefused, type Sandbox, SandboxLost } from '../../sandbox.ts';
import type { OutputFile } from '../../schemas/execution.ts';
import { LIMITS } from '../../schemas/limits.ts';

/** Most bytes of all that are in a result. */
const MAX_BYTES = LIMITS.readBytes;
/** Time limit for reading them; the sandbox may have a small share of the CPU. */
const COLLECT_MS = 10_000;

/** A file that a run is to bring back. */
export interface WantedOutput {
  /** Its place among what was asked for. */
  readonly number: number;
  readonly name: string;
  readonly path: string;
  readonly optional: boolean;
}

export interface OutputHooks {
  /** Resolves when output files may be read into memory. */
  beforeFiles(): Promise<void>;
  /** None of them is in memory now. */
  afterFiles(): void;
  /** Keeps those that are too large for a result, by number; what can't be kept is left out. */
  keepLarge(outputs: readonly WantedOutput[]): Promise<ReadonlyMap<number, OutputFile>>;
}

export interface Collected {
  readonly files: readonly OutputFile[];
  readonly missingFiles: readonly string[];
  /** Some files were left out because their total is too large. */
  readonly left: boolean;
}

/**
 * Brings the files that a run has left: those that fit into its result, and links to the others. Copying takes long, and meanwhile nothing
 * is held in memory that others could want to have room for: what fits is read again.
 */
export async function collectOutputs(
  sandbox: Sandbox,
  outputs: readonly WantedOutput[],
  hooks: OutputHooks,
): Promise<Collected> {
  await hooks.beforeFiles();
  const { large, ...collected } = await readOutputs(sandbox, outputs, new Map());
  if (large.length === 0) return { ...collected, left: false };
  hooks.afterFiles();
  const links = await hooks.keepLarge(large);
  await hooks.beforeFiles();
  const { large: left, ...whole } = await readOutputs(sandbox, outputs, links);
  return { ...whole, left: left.length > 0 };
}

async function readOutputs(
  sandbox: Sandbox,
  outputs: readonly WantedOutput[],
  links: ReadonlyMap<number, OutputFile>,
): Promise<Omit<Collected, 'left'> & { large: readonly WantedOutput[] }> {
  const files: OutputFile[] = [];
  const missingFiles: string[] = [];
  const large: WantedOutput[] = [];
  const deadline = Promise.withResolvers<never>();
  deadline.promise.catch(() => {});
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    deadline.reject(new FileRefused('too late'));
  }, COLLECT_MS);
  let room = MAX_BYTES;
  try {
    for (const output of outputs) {
      const { number, name, path, optional } = output;
      const link = links.get(number);
      if (link) {
        files.push(link);
        continue;
      }
      const file = late
        ? null
        : await Promise.race([read(sandbox, path), deadline.promise]).catch(unlessMissing);
      const fits = file !== null && file.size <= room;
      if (file && !fits) large.push(output);
      if (fits) {
        room -= file.size;
        const encoding = isText(file.data) ? 'utf8' : 'base64';
        files.push({ path: name, content: encodeContent(file.data, encoding), encoding });
      } else if (!optional) missingFiles.push(name);
    }
  } finally {
    clearTimeout(timer);
  }
  return { files, missingFiles, large };
}

/** Nothing may be waiting when it fails: its deadline has passed. */
function read({ files }: Sandbox, path: string) {
  const reading = files.read(path, { length: MAX_BYTES });
  reading.catch(() => {});
  return reading;
}

/** Null when the file can't be read. @throws errors that the program can't cause */
function unlessMissing(error: unknown): null {
  if (error instanceof FileRefused || error instanceof SandboxLost) return null;
  throw error;
}
