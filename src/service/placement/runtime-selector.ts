import { ServiceError } from '../../errors.ts';
import type { Language } from '../../languages/language.ts';
import type { Runtime, RuntimeOptions } from '../../runtimes/runtime.ts';
import { type RuntimePreference, RuntimeType } from '../../schemas/session.ts';

/** What a client asked for, as far as it bears on where its code runs. */
export interface Selection {
  readonly language: Language;
  readonly preference: RuntimePreference;
  /** As the client wrote it, or what a language alias such as `bun` means. */
  readonly forced: string | undefined;
  readonly options: RuntimeOptions;
}

/** Figures of an available runtime, measured when it was probed. */
interface Candidate {
  readonly runtime: Runtime;
  readonly startupMs: number;
  readonly memoryMB: number;
}

/** Weights of speed, security and memory under `Balanced`. */
const BALANCED = { speed: 0.4, security: 0.3, memory: 0.3 };

/**
 * Picks the runtime for a call: those that are available and can honour every option asked for stand; the preference
 * ranks them; ties go by the order of the list.
 * @throws {ServiceError} RUNTIME_UNAVAILABLE listing every candidate with its reason; NOT_SUPPORTED for an option
 * that no runtime of the language can honour
 */
export function selectRuntime(runtimes: readonly Runtime[], asked: Selection): Runtime {
  const forced = asked.forced === undefined ? undefined : runtimeNamed(asked.forced);
  const standing: Candidate[] = [];
  const refusals: string[] = [];
  /** Of those that lack an option that was asked for, what the one says that says most. */
  let refusedOption = '';
  let ableIfThere = false;
  for (const runtime of runtimes) {
    if (forced ? runtime.type !== forced : !runtime.languages.includes(asked.language.name)) continue;
    const verdict = judge(runtime, asked);
    if (typeof verdict === 'object') standing.push(verdict);
    else refusals.push(`${runtime.type}: ${verdict}`);
    const refused = runtime.refuses(asked.options);
    if (refused && refused.length > refusedOption.length) refusedOption = refused;
    ableIfThere ||= refused === null;
  }
  const best = rank(standing, asked.preference);
  if (best) return best.runtime;
  if (refusedOption && !ableIfThere) {
    const [field = ''] = refusedOption.split(':', 1);
    throw new ServiceError('NOT_SUPPORTED', refusedOption, { field, details: refusals.join('; ') });
  }
  const details =
    refusals.join('; ') || `${forced ?? asked.language.displayName} is not set up on this server`;
  throw new ServiceError(
    'RUNTIME_UNAVAILABLE',
    `No runtime can run this ${asked.language.name}: ${details}`,
    {
      details,
      ...(forced && { field: 'runtimeType' }),
    },
  );
}

/** The best of the candidates under a preference. Pure; the first wins a tie. */
export function rank<
  C extends { startupMs: number; memoryMB: number; runtime: Pick<Runtime, 'isolationLevel'> },
>(candidates: readonly C[], preference: RuntimePreference): C | undefined {
  const fastest = Math.min(...candidates.map(c => c.startupMs));
  const smallest = Math.min(...candidates.map(c => c.memoryMB));
  const safest = Math.max(...candidates.map(c => c.runtime.isolationLevel));
  const score = (c: C): number => {
    if (preference === 'Speed') return -c.startupMs;
    if (preference === 'Security') return c.runtime.isolationLevel;
    if (preference === 'Memory') return -c.memoryMB;
    const speed = ratio(fastest, c.startupMs) * BALANCED.speed;
    const security = ratio(c.runtime.isolationLevel, safest) * BALANCED.security;
    return speed + security + ratio(smallest, c.memoryMB) * BALANCED.memory;
  };
  let best: { candidate: C; score: number } | undefined;
  for (const candidate of candidates) {
    const value = score(candidate);
    if (!best || value > best.score) best = { candidate, score: value };
  }
  return best?.candidate;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 1 : part / whole;
}

function runtimeNamed(name: string): RuntimeType {
  const words: readonly RuntimeType[] = RuntimeType.enum;
  const found = words.find(type => type.toLowerCase() === name.toLowerCase());
  if (found) return found;
  throw new ServiceError('VALIDATION_ERROR', `runtimeType: must be one of ${words.join(', ')}`, {
    field: 'runtimeType',
  });
}

function judge(runtime: Runtime, { language, options }: Selection): Candidate | string {
  if (!runtime.languages.includes(language.name)) return `does not run ${language.name}`;
  const state = runtime.stateFor(language.name, options);
  if (!state.available) return state.cure ? `${state.reason} (cure: ${state.cure})` : state.reason;
  return runtime.refuses(options) ?? { runtime, startupMs: state.startupMs, memoryMB: state.memoryMB };
}
