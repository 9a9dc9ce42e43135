import type { ConfigInfo } from './config-info.ts';
import { addProblem, type Problems } from './refusal.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** What a submission asks for beside its program, complete, by Judge0's names. Kept with it, and answered as it is. */
export interface Settings {
  readonly number_of_runs: number;
  /** Seconds. */
  readonly cpu_time_limit: number;
  readonly cpu_extra_time: number;
  readonly wall_time_limit: number;
  /** KB. */
  readonly memory_limit: number;
  readonly stack_limit: number;
  readonly max_file_size: number;
  readonly max_processes_and_or_threads: number;
  readonly enable_per_process_and_thread_time_limit: false;
  readonly enable_per_process_and_thread_memory_limit: false;
  readonly redirect_stderr_to_stdout: false;
  readonly enable_network: boolean;
  readonly compiler_options: null;
  readonly command_line_arguments: string | null;
  readonly callback_url: string | null;
}

/** Least memory of a sandbox, KB. */
const MIN_MEMORY_KB = 32 * 1024;
/** Longest command line, characters. */
const MOST_ARGUMENTS = 512;
/** Longest URL of a callback, characters. */
const MOST_URL = 2048;
/** What Rails takes for false. */
const FALSE: readonly unknown[] = [false, 0, '0', 'f', 'F', 'false', 'FALSE', 'off', 'OFF', ''];

/** Reads them; what is wrong with them is added to the problems, and then they are not to be used. */
export class SettingsReader {
  readonly #fields: Fields;
  readonly #config: ConfigInfo;
  readonly #problems: Problems;

  constructor(fields: Fields, { config, problems }: { config: ConfigInfo; problems: Problems }) {
    this.#fields = fields;
    this.#config = config;
    this.#problems = problems;
  }

  /** @param mayCall whether a callback may go to a URL */
  read(mayCall: (url: string) => boolean): Settings {
    const config = this.#config;
    return {
      number_of_runs: this.#fixed('number_of_runs'),
      cpu_time_limit: this.#number('cpu_time_limit', { above: 0, most: config.max_cpu_time_limit }),
      cpu_extra_time: this.#number('cpu_extra_time', { least: 0, most: config.max_cpu_extra_time }),
      wall_time_limit: this.#number('wall_time_limit', { above: 0, most: config.max_wall_time_limit }),
      memory_limit: this.#number('memory_limit', { least: MIN_MEMORY_KB, most: config.max_memory_limit }),
      stack_limit: this.#fixed('stack_limit'),
      max_file_size: this.#fixed('max_file_size'),
      max_processes_and_or_threads: this.#fixed('max_processes_and_or_threads'),
      enable_per_process_and_thread_time_limit: this.#off('enable_per_process_and_thread_time_limit'),
      enable_per_process_and_thread_memory_limit: this.#off('enable_per_process_and_thread_memory_limit'),
      redirect_stderr_to_stdout: this.#off('redirect_stderr_to_stdout'),
      enable_network: this.#network(),
      compiler_options: this.#noCompilerOptions(),
      command_line_arguments: this.#text('command_line_arguments', MOST_ARGUMENTS),
      callback_url: this.#callback(mayCall),
    };
  }

  #add(field: string, problem: string): void {
    addProblem(this.#problems, field, problem);
  }

  #given(field: string): unknown {
    const value = this.#fields[field];
    return value === null || value === '' ? undefined : value;
  }

  #number(
    field: Extract<keyof ConfigInfo, keyof Settings>,
    { least, above, most }: { least?: number; above?: number; most: number },
  ): number {
    const usual = this.#config[field] as number;
    const value = this.#given(field);
    if (value === undefined) return usual;
    const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
    if (Number.isNaN(number)) this.#add(field, 'is not a number');
    else if (above !== undefined && number <= above) this.#add(field, `must be greater than ${above}`);
    else if (least !== undefined && number < least)
      this.#add(field, `must be greater than or equal to ${least}`);
    else if (number > most) this.#add(field, `must be less than or equal to ${most}`);
    return number;
  }

  /** What can't be set here; asking for what it is changes nothing. */
  #fixed(field: Extract<keyof ConfigInfo, keyof Settings>): number {
    const usual = this.#config[field] as number;
    return this.#number(field, { least: usual, most: usual });
  }

  #off(field: string): false {
    const value = this.#given(field);
    if (value !== undefined && !FALSE.includes(value)) this.#add(field, 'this option cannot be enabled');
    return false;
  }

  #network(): boolean {
    const value = this.#given('enable_network');
    const wanted = value !== undefined && !FALSE.includes(value);
    if (wanted && !this.#config.allow_enable_network)
      this.#add('enable_network', 'enabling network is not allowed');
    return wanted;
  }

  #noCompilerOptions(): null {
    const value = this.#given('compiler_options');
    if (value !== undefined && (typeof value !== 'string' || value.trim() !== ''))
      this.#add('compiler_options', 'setting compiler options is not allowed');
    return null;
  }

  #text(field: string, most: number): string | null {
    const value = this.#given(field);
    if (value === undefined) return null;
    if (typeof value !== 'string') this.#add(field, 'is invalid');
    else if (value.length > most) this.#add(field, `is too long (maximum is ${most} characters)`);
    else return value;
    return null;
  }

  #callback(mayCall: (url: string) => boolean): string | null {
    const url = this.#text('callback_url', MOST_URL);
    if (url !== null && !mayCall(url)) this.#add('callback_url', 'setting callback is not allowed');
    return url;
  }
}
