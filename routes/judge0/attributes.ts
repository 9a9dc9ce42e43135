import { isUtf8 } from 'node:buffer';
import type { StatusResponse } from '../../src/schemas/execution.ts';
import { CAUSE_IN_WORDS } from '../../src/schemas/outcome.ts';
import { encodeLines } from './base64.ts';
import type { Judge0Language } from './languages.ts';
import { Refusal } from './refusal.ts';
import { describeStatus, STATUS } from './statuses.ts';
import type { Wish } from './submission.ts';
import { bytesOf, compileFailure, signalNumber, type Verdict, verdictOf } from './verdict.ts';

/** A submission that was taken. */
export interface Taken {
  readonly status: StatusResponse;
  readonly wish: Wish;
}

/** An attribute of a submission; bytes are text of the program's or the compiler's. */
type Attribute = (taken: Taken, verdict: Verdict) => unknown;

const settingOf =
  (name: keyof Wish['settings']): Attribute =>
  ({ wish }) =>
    wish.settings[name];

/** A decimal, as Judge0 writes it: in a string. */
const decimal = (number: number) => (Number.isInteger(number) ? number.toFixed(1) : String(number));
const decimalSetting =
  (name: 'cpu_time_limit' | 'cpu_extra_time' | 'wall_time_limit'): Attribute =>
  ({ wish }) =>
    decimal(wish.settings[name]);

const seconds = (ms: number | null | undefined) =>
  ms === null || ms === undefined ? null : (ms / 1000).toFixed(3);
/** What the program itself has left is nothing where it did not compile. */
const ofRun =
  (what: (taken: Taken) => unknown): Attribute =>
  (taken, { id }) =>
    id === STATUS.compileError || id < STATUS.accepted ? null : what(taken);

/** Every attribute that is served, by its name. A submission's own texts are not kept. */
const ATTRIBUTES: Readonly<Record<string, Attribute>> = {
  language_id: ({ wish }) => wish.languageId,
  stdout: ofRun(({ status }) => nonempty(bytesOf(status.stdout, status.stdoutEncoding))),
  status_id: (_, { id }) => id,
  created_at: ({ status }) => status.createdAt,
  finished_at: ({ status }) => status.completedAt,
  time: ofRun(({ status }) => seconds(status.usage?.cpuMs)),
  memory: ofRun(({ status }) => kilobytes(status.usage?.peakMemoryBytes)),
  stderr: ofRun(({ status }) => nonempty(bytesOf(status.stderr, status.stdoutEncoding))),
  token: ({ status }) => status.executionId,
  number_of_runs: settingOf('number_of_runs'),
  cpu_time_limit: decimalSetting('cpu_time_limit'),
  cpu_extra_time: decimalSetting('cpu_extra_time'),
  wall_time_limit: decimalSetting('wall_time_limit'),
  memory_limit: settingOf('memory_limit'),
  stack_limit: settingOf('stack_limit'),
  max_processes_and_or_threads: settingOf('max_processes_and_or_threads'),
  enable_per_process_and_thread_time_limit: settingOf('enable_per_process_and_thread_time_limit'),
  enable_per_process_and_thread_memory_limit: settingOf('enable_per_process_and_thread_memory_limit'),
  max_file_size: settingOf('max_file_size'),
  compile_output: ({ status }, { id }) => compileOutput(status, id === STATUS.compileError),
  exit_code: ofRun(({ status }) => status.exitCode),
  exit_signal: ofRun(({ status }) => signalNumber(status.signal)),
  message: (_, { message }) => message && Buffer.from(message),
  wall_time: ofRun(({ status }) => seconds(status.usage?.wallMs)),
  compiler_options: settingOf('compiler_options'),
  command_line_arguments: settingOf('command_line_arguments'),
  redirect_stderr_to_stdout: settingOf('redirect_stderr_to_stdout'),
  callback_url: settingOf('callback_url'),
  enable_network: settingOf('enable_network'),
  status: (_, { id }) => describeStatus(id),
  language: ({ wish }) => ({ id: wish.languageId }),
};

/** What is answered to those who do not say. */
export const USUAL_ATTRIBUTES = [
  'stdout',
  'time',
  'memory',
  'stderr',
  'token',
  'compile_output',
  'message',
  'status',
] as const;

/** Longest list of attributes that is looked at, characters. */
const MOST_LENGTH = 2048;

/** Names that `fields` lists; `*` is all. @throws {Refusal} naming those that are none */
export function attributeNames(list: string | undefined): readonly string[] {
  if (list === undefined || list.trim() === '') return USUAL_ATTRIBUTES;
  if (list.length > MOST_LENGTH) throw new Refusal(`fields is over ${MOST_LENGTH} characters`);
  const names = [...new Set(list.split(',').map(name => name.trim()))];
  if (names.includes('*')) return Object.keys(ATTRIBUTES);
  const unknown = names.filter(name => !Object.hasOwn(ATTRIBUTES, name));
  if (unknown.length > 0) throw new Refusal(`invalid fields: [${unknown.join(', ')}]`);
  return names;
}

/** A text of a submission is asked for as it is, and is no UTF-8. */
export class NotText extends Error {
  override readonly name = 'NotText';
}

/** How attributes are wanted. */
export interface View {
  readonly names: readonly string[];
  readonly base64: boolean;
  readonly languages: readonly Judge0Language[];
}

/** A submission as it is answered. @throws {NotText} */
export function attributesOf(taken: Taken, { names, base64, languages }: View): Record<string, unknown> {
  const verdict = verdictOf(taken.status, taken.wish);
  const shown = (name: string) => {
    if (name === 'language') {
      const id = taken.wish.languageId;
      return { id, name: languages.find(language => language.id === id)?.name ?? null };
    }
    const value = ATTRIBUTES[name]?.(taken, verdict);
    if (!Buffer.isBuffer(value)) return value;
    if (base64) return encodeLines(value);
    if (!isUtf8(value)) throw new NotText(name);
    return value.toString('utf8');
  };
  return Object.fromEntries(names.map(name => [name, shown(name)]));
}

/** The compiler's words; where it refused a program they come with what they mean. */
function compileOutput(status: StatusResponse, failed: boolean): Buffer | null {
  const { compile } = status;
  if (compile?.outcome === 'wall_timeout' || compile?.outcome === 'cpu_timeout')
    return Buffer.from('Compilation time limit exceeded.');
  if (failed) return nonempty(compileFailure(status) ?? bytesOf(status.stderr, status.stdoutEncoding));
  if (!compile) return null;
  const cause = CAUSE_IN_WORDS[compile.outcome];
  const printed = [compile.stdout, compile.stderr].map(text => bytesOf(text, compile.stdoutEncoding));
  return nonempty(Buffer.concat([...printed, Buffer.from(cause ?? '')]));
}

const nonempty = (data: Buffer) => (data.length > 0 ? data : null);
const kilobytes = (bytes: number | null | undefined) =>
  bytes === null || bytes === undefined ? null : Math.round(bytes / 1024);
