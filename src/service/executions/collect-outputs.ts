import { asText, encodeContent } from '../../commands/content.ts';
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
  /** Keeps those that are too large for a result, by number; what can't be kept is left out. */
  keepLarge(outputs: readonly WantedOutput[]): Promise<ReadonlyMap<number, OutputFile>>;
  /** Resolves when output files may be read into memory. */
  beforeFiles(): Promise<void>;
}

export interface Collected {
  readonly files: readonly OutputFile[];
  readonly missingFiles: readonly string[];
  /** Some files were left out because their total is too large. */
  readonly left: boolean;
}

/**
 * Brings the files that a run has left: those that fit into its result, and links to the others. Copying takes long, and nothing is held
 * in memory meanwhile that others could want to have room for.
 */
export async function collectOutputs(
  sandbox: Sandbox,
  outputs: readonly WantedOutput[],
  hooks: OutputHooks,
): Promise<Collected> {
  const large = await withinTime(inTime => largeOf(sandbox, outputs, inTime));
  const links = large.length > 0 ? await hooks.keepLarge(large) : new Map<number, OutputFile>();
  await hooks.beforeFiles();
  return withinTime(inTime => readOutputs(sandbox, { outputs, links, large }, inTime));
}

/** Resolves as the work does, or to null where it is refused or it is too late. */
type InTime = <T>(work: () => Promise<T>) => Promise<T | null>;

async function withinTime<T>(act: (inTime: InTime) => Promise<T>): Promise<T> {
  const deadline = Promise.withResolvers<never>();
  deadline.promise.catch(() => {});
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    deadline.reject(new FileRefused('too late'));
  }, COLLECT_MS);
  const inTime: InTime = async work => {
    if (late) return null;
    const working = work();
    // Nothing may be waiting when it fails after its deadline.
    working.catch(() => {});
    return Promise.race([working, deadline.promise]).catch(unlessMissing);
  };
  try {
    return await act(inTime);
  } finally {
    clearTimeout(timer);
  }
}

/** Those that do not fit with the ones before them that do. */
async function largeOf({ files }: Sandbox, outputs: readonly WantedOutput[], inTime: InTime) {
  let room = MAX_BYTES;
  const large: WantedOutput[] = [];
  for (const output of outputs) {
    const size = await inTime(async () => {
      const source = await files.openRead(output.path);
      source.close();
      return source.status.type === 'file' ? source.status.size : 0;
    });
    if (size !== null && size > room) large.push(output);
    else room -= size ?? 0;
  }
  return large;
}

async function readOutputs(
  { files: sandboxFiles }: Sandbox,
  {
    outputs,
    links,
    large,
  }: {
    outputs: readonly WantedOutput[];
    links: ReadonlyMap<number, OutputFile>;
    large: readonly WantedOutput[];
  },
  inTime: InTime,
): Promise<Collected> {
  const files: OutputFile[] = [];
  const missingFiles: string[] = [];
  let room = MAX_BYTES;
  let left = false;
  for (const output of outputs) {
    const { number, name, path, optional } = output;
    const link = links.get(number);
    if (link) {
      files.push(link);
      continue;
    }
    const unkept = large.includes(output);
    const file = unkept ? null : await inTime(() => sandboxFiles.read(path, { length: MAX_BYTES }));
    const fits = file !== null && file.size <= room;
    left ||= unkept || (file !== null && !fits);
    if (fits) {
      room -= file.size;
      const text = asText(file.data);
      files.push({
        path: name,
        content: text ?? encodeContent(file.data, 'base64'),
        encoding: text === null ? 'base64' : 'utf8',
      });
    } else if (!optional) missingFiles.push(name);
  }
  return { files, missingFiles, left };
}

/** Null when the file can't be read. @throws errors that the program can't cause */
function unlessMissing(error: unknown): null {
  if (error instanceof FileRefused || error instanceof SandboxLost) return null;
  throw error;
}
