import { LIMITS } from '../../src/schemas/limits.ts';
import type { Capabilities } from '../../src/service/service.ts';

/** Judge0's defaults and bounds that are kept here. Seconds. */
const CPU_SECONDS = 5;
const EXTRA_SECONDS = 1;
const MAX_EXTRA_SECONDS = 5;
const WALL_SECONDS = 10;
/** Runs that wait, by default; one too many is told when it comes. */
const QUEUE = 10_000;
/** Submissions of one request. */
const BATCH = 20;
/** A callback that can't be delivered is tried again. */
export const CALLBACK_TRIES = 3;
export const CALLBACK_SECONDS = 5;
/** KB of the stack that programs have; it can't be set. */
const STACK_KB = 8192;
const KB_OF_MB = 1024;

export type ConfigInfo = ReturnType<typeof configInfo>;

/**
 * `GET /config_info`: what submissions may ask for, and get when they don't. Sizes are KB, times seconds. The numbers of this list are what
 * submissions are held to.
 */
export function configInfo({ limits, supports }: Capabilities, { callbacks }: { callbacks: boolean }) {
  const { maxTimeout, maxMemory } = limits;
  // Files lie in memory, and may have half of it.
  const fileKB = (Math.min(LIMITS.memoryMB, maxMemory) / 2) * KB_OF_MB;
  return {
    maintenance_mode: false,
    enable_wait_result: true,
    enable_compiler_options: false,
    allowed_languages_for_compile_options: [] as string[],
    enable_command_line_arguments: true,
    enable_submission_delete: false,
    enable_callbacks: callbacks,
    callbacks_max_tries: CALLBACK_TRIES,
    callbacks_timeout: CALLBACK_SECONDS,
    enable_additional_files: true,
    max_queue_size: QUEUE,
    cpu_time_limit: Math.min(CPU_SECONDS, maxTimeout),
    max_cpu_time_limit: maxTimeout,
    cpu_extra_time: EXTRA_SECONDS,
    max_cpu_extra_time: MAX_EXTRA_SECONDS,
    wall_time_limit: Math.min(WALL_SECONDS, maxTimeout),
    max_wall_time_limit: maxTimeout,
    memory_limit: Math.min(LIMITS.memoryMB, maxMemory) * KB_OF_MB,
    max_memory_limit: maxMemory * KB_OF_MB,
    stack_limit: STACK_KB,
    max_stack_limit: STACK_KB,
    max_processes_and_or_threads: LIMITS.processes,
    max_max_processes_and_or_threads: LIMITS.processes,
    enable_per_process_and_thread_time_limit: false,
    allow_enable_per_process_and_thread_time_limit: false,
    enable_per_process_and_thread_memory_limit: false,
    allow_enable_per_process_and_thread_memory_limit: false,
    max_file_size: fileKB,
    max_max_file_size: fileKB,
    number_of_runs: 1,
    max_number_of_runs: 1,
    redirect_stderr_to_stdout: false,
    max_extract_size: fileKB,
    enable_batched_submissions: true,
    max_submission_batch_size: BATCH,
    submission_cache_duration: 0,
    use_docs_as_homepage: false,
    allow_enable_network: supports.has('Network'),
    enable_network: false,
  };
}
