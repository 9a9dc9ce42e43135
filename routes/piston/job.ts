import { ExecuteRequest, type ExecutionConfig, type InputFile } from '../../src/schemas/execution.ts';
import { LIMITS } from '../../src/schemas/limits.ts';
import { validator } from '../../src/schemas/validate.ts';
import { Refusal } from './refusal.ts';
import { type FoundRuntime, findRuntime } from './runtimes.ts';

/** What a client of Piston asks to run. */
export interface Job {
  readonly runtime: FoundRuntime;
  readonly request: ExecuteRequest;
}

interface File {
  readonly name: string | undefined;
  readonly content: string;
  readonly encoding: 'utf8' | 'base64' | 'hex';
}

/** Piston's default time limits, milliseconds. */
const RUN_MS = 3000;
const COMPILE_MS = 10_000;
const MIB = 1024 * 1024;
/** Most characters of a language or a range of versions: one of thousands of parts would be compared with every version for seconds. */
const MOST_NAME = 256;

const validate = validator(ExecuteRequest);

type Fields = Readonly<Record<string, unknown>>;

/**
 * A body of `POST /execute`, or an `init` message, as a request to the service. The first file is the program and is run under our
 * name for such programs.
 * @throws {Refusal | ServiceError} what is asked for is none, or more than the service takes
 */
export function readJob(body: unknown, runtimes: readonly FoundRuntime[]): Job {
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Fields;
  const language = text(fields, 'language');
  const version = text(fields, 'version');
  const [program, ...others] = filesOf(fields);
  const runtime = findRuntime(runtimes, language, version);
  if (!runtime) throw new Refusal(`${language}-${version} runtime is unknown`);
  const code = program && decode(program).toString('utf8');
  if (!code) throw new Refusal('files must include at least one utf8 encoded file');
  const request: ExecuteRequest = {
    language: runtime.language,
    runtimeType: runtime.runtimeType,
    code,
    files: others.map(inputFile),
    args: argsOf(fields),
    config: limitsOf(fields),
  };
  const stdin = stdinOf(fields);
  return { runtime, request: validate(stdin ? { ...request, stdin } : request) };
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '') throw new Refusal(`${name} is required as a string`);
  if (value.length > MOST_NAME) throw new Refusal(`${name} is over ${MOST_NAME} characters`);
  return value;
}

/** In their order, but with a file of text first: that is the program. */
function filesOf({ files }: Fields): File[] {
  if (!Array.isArray(files)) throw new Refusal('files is required as an array');
  const read = files.map((file: unknown, i): File => {
    const { name, content, encoding } = (file ?? {}) as Fields;
    if (typeof content !== 'string') throw new Refusal(`files[${i}].content is required as a string`);
    if (name !== undefined && name !== null && typeof name !== 'string')
      throw new Refusal(`files[${i}].name must be a string`);
    const known = encoding || 'utf8';
    if (known !== 'utf8' && known !== 'base64' && known !== 'hex')
      throw new Refusal(`files[${i}].encoding must be utf8, base64 or hex`);
    // An empty name is how several clients leave one out.
    return { name: name || undefined, content, encoding: known };
  });
  const program = read.findIndex(({ encoding }) => encoding === 'utf8');
  if (program < 0) throw new Refusal('files must include at least one utf8 encoded file');
  return [read[program]!, ...read.slice(0, program), ...read.slice(program + 1)];
}

const decode = ({ content, encoding }: File) => Buffer.from(content, encoding);

function inputFile(file: File, i: number): InputFile {
  const path = file.name ?? `file${i + 1}.code`;
  if (file.encoding === 'utf8') return { path, content: file.content };
  return { path, content: decode(file).toString('base64'), encoding: 'base64' };
}

function argsOf({ args }: Fields): string[] {
  if (args === undefined || args === null) return [];
  if (!Array.isArray(args) || args.some(arg => typeof arg !== 'string'))
    throw new Refusal('args must be an array of strings');
  return args as string[];
}

/** Piston ends what is given with a newline. */
function stdinOf({ stdin }: Fields): string {
  if (stdin === undefined || stdin === null) return '';
  if (typeof stdin !== 'string') throw new Refusal('stdin must be a string');
  return stdin === '' || stdin.endsWith('\n') ? stdin : `${stdin}\n`;
}

/** Milliseconds as our seconds, bytes as our MB; -1, which most clients send, asks for no limit and gets ours. */
function limitsOf(fields: Fields): ExecutionConfig {
  const compileMs = limit(fields, 'compile_timeout') ?? COMPILE_MS;
  const compileCpu = limit(fields, 'compile_cpu_time');
  // A compiler has one core, and so never uses more of it than its time limit.
  if (compileCpu !== undefined && compileCpu < compileMs)
    throw new Refusal('compile_cpu_time below compile_timeout is not supported');
  const cpuMs = limit(fields, 'run_cpu_time');
  const bytes = limit(fields, 'run_memory_limit');
  const compileBytes = limit(fields, 'compile_memory_limit');
  if (compileBytes !== undefined && compileBytes < (bytes ?? LIMITS.memoryMB * MIB))
    throw new Refusal('compile_memory_limit below run_memory_limit is not supported');
  if (bytes !== undefined && bytes < LIMITS.minMemoryMB * MIB)
    throw new Refusal(`run_memory_limit must be at least ${LIMITS.minMemoryMB * MIB}`);
  return {
    timeout: (limit(fields, 'run_timeout') ?? RUN_MS) / 1000,
    compileTimeout: compileMs / 1000,
    ...(cpuMs !== undefined && { cpuTime: cpuMs / 1000 }),
    ...(bytes !== undefined && { memoryLimit: Math.floor(bytes / MIB) }),
  };
}

/** A limit that was asked for; undefined for none. */
function limit(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  if (value === undefined || value === null || value === 0) return undefined;
  if (typeof value !== 'number') throw new Refusal(`If specified, ${name} must be a number`);
  if (value === -1) return undefined;
  if (value < 0) throw new Refusal(`${name} must be non-negative`);
  return value;
}
