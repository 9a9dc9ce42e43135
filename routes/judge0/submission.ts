import { isUtf8 } from 'node:buffer';
import { ExecuteRequest, type ExecutionConfig, type InputFile } from '../../src/schemas/execution.ts';
import { LIMITS } from '../../src/schemas/limits.ts';
import { validator } from '../../src/schemas/validate.ts';
import { decodeLeniently } from './base64.ts';
import type { ConfigInfo } from './config-info.ts';
import { type Expected, expectedOf } from './expected.ts';
import type { Judge0Language } from './languages.ts';
import { addProblem, Invalid, type Problems } from './refusal.ts';
import { ARCHIVE, COMPILE_FAILED, scriptProgram } from './script-programs.ts';
import { problemsOf } from './service-problems.ts';
import { type Fields, type Settings, SettingsReader } from './settings.ts';
import { wordsOf } from './words.ts';

/** What is kept of a submission beside its result. */
export interface Wish {
  readonly languageId: number;
  readonly expected: Expected | null;
  readonly settings: Settings;
}

export interface Submission {
  readonly request: ExecuteRequest;
  readonly wish: Wish;
}

/** What submissions are read by. */
export interface Terms {
  /** Texts of requests are in base64. */
  readonly base64: boolean;
  readonly languages: readonly Judge0Language[];
  readonly config: ConfigInfo;
  mayCall(url: string): boolean;
}

const validate = validator(ExecuteRequest);
const BLANK = "can't be blank";
const KB_OF_MB = 1024;
/** Longest output to expect, bytes. It is looked at byte by byte, and of what a program prints less is kept. */
const MOST_EXPECTED = 8 * 1024 * 1024;
/** What a zip archive begins with: an entry, or the end of one that is empty (APPNOTE.TXT 4.3.7, 4.3.16). */
const ZIP = ['PK\x03\x04', 'PK\x05\x06'];

/** A submission as a request to the service. @throws {Invalid} with all that is wrong with it */
export function readSubmission(body: unknown, terms: Terms): Submission {
  const problems: Problems = {};
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Fields;
  const text = (name: string) => textOf(fields, name, { base64: terms.base64, problems });
  const source = text('source_code');
  const stdin = text('stdin');
  const expected = text('expected_output');
  if (expected && expected.length > MOST_EXPECTED)
    problems.expected_output = [`is too long (maximum is ${MOST_EXPECTED} bytes)`];
  const archive = archiveOf(fields, problems);
  const language = languageOf(fields, terms.languages, problems);
  const settings = new SettingsReader(fields, { config: terms.config, problems }).read(terms.mayCall);
  const args = wordsOf(settings.command_line_arguments ?? '');
  if (args === null) problems.command_line_arguments = ['has a quote without an end'];
  checkProgram({ source, archive, language }, problems);
  if (Object.keys(problems).length > 0 || !language || args === null) throw new Invalid(problems);
  const request: ExecuteRequest = {
    ...programOf(language, source, archive),
    language: language.language,
    args,
    // Not every output is text, and what is compared is what was printed.
    stdoutEncoding: 'base64',
    config: limitsOf(settings, terms.config),
    ...(stdin && { stdin: stdin.toString('utf8') }),
  };
  const wish = { languageId: language.id, expected: expected && expectedOf(expected), settings };
  try {
    return { request: validate(request), wish };
  } catch (error) {
    throw problemsOf(error, language.id);
  }
}

/** A text of a request; null where it has none. */
function textOf(
  fields: Fields,
  name: string,
  { base64, problems }: { base64: boolean; problems: Problems },
): Buffer | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') {
    problems[name] = ['is invalid'];
    return null;
  }
  const data = base64 ? decodeLeniently(value) : Buffer.from(value);
  if (name !== 'expected_output' && !isUtf8(data)) problems[name] = ['must be UTF-8'];
  return data;
}

function archiveOf({ additional_files: value }: Fields, problems: Problems): Buffer | null {
  if (value === undefined || value === null || value === '') return null;
  const data = typeof value === 'string' ? decodeLeniently(value) : Buffer.alloc(0);
  if (!ZIP.includes(data.toString('latin1', 0, 4))) problems.additional_files = ['is not a zip archive'];
  return data;
}

function languageOf(
  { language_id: value }: Fields,
  languages: readonly Judge0Language[],
  problems: Problems,
): Judge0Language | undefined {
  if (value === undefined || value === null || value === '') {
    problems.language_id = [BLANK];
    return undefined;
  }
  const id = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  const found = languages.find(language => language.id === id);
  if (!found)
    problems.language_id = [Number.isNaN(id) ? 'is not a number' : `language with id ${id} doesn't exist`];
  return found;
}

function checkProgram(
  {
    source,
    archive,
    language,
  }: { source: Buffer | null; archive: Buffer | null; language: Judge0Language | undefined },
  problems: Problems,
): void {
  const add = (field: string, problem: string) => addProblem(problems, field, problem);
  const text = source?.toString('utf8') ?? '';
  if (language?.kind === 'project') {
    if (text.trim() !== '') add('source_code', 'must be blank');
    if (archive === null) add('additional_files', BLANK);
    return;
  }
  if (text.trim() === '') add('source_code', BLANK);
  if (text.length > LIMITS.codeLength)
    add('source_code', `is too long (maximum is ${LIMITS.codeLength} characters)`);
  if (archive && language && language.language !== 'python')
    add(
      'additional_files',
      'setting additional files is only allowed for Python, Bash and multi-file programs',
    );
}

function programOf(
  { kind }: Judge0Language,
  source: Buffer | null,
  archive: Buffer | null,
): Pick<ExecuteRequest, 'code' | 'files' | 'outputFiles'> {
  const code = source?.toString('utf8') ?? '';
  if (kind === 'program' && archive === null) return { code };
  const name = kind === 'bash' ? 'script.sh' : 'script.py';
  const files: InputFile[] = kind === 'project' ? [] : [{ path: name, content: code }];
  if (archive) files.push({ path: ARCHIVE, content: archive.toString('base64'), encoding: 'base64' });
  const program = kind === 'program' ? 'python' : kind;
  return {
    code: scriptProgram(program, { source: name, unpack: archive !== null }),
    files,
    ...(kind === 'project' && { outputFiles: [`${COMPILE_FAILED}?`] }),
  };
}

/** A program may go on for the extra time, and is over its limit all the same: so its true time is known. */
function limitsOf(settings: Settings, config: ConfigInfo): ExecutionConfig {
  const { cpu_time_limit, cpu_extra_time, wall_time_limit, memory_limit, enable_network } = settings;
  return {
    timeout: wall_time_limit,
    cpuTime: Math.min(cpu_time_limit + cpu_extra_time, config.max_cpu_time_limit),
    memoryLimit: Math.floor(memory_limit / KB_OF_MB),
    ...(enable_network && { disableNetwork: false }),
  };
}
