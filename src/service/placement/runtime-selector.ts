import { invalid, ServiceError } from '../../errors.ts';
import type { Language } from '../../languages/language.ts';
import type { Runtime, RuntimeCapabilities, RuntimeRequest } from '../../runtimes/runtime.ts';
import { USER_HOME } from '../../sandbox.ts';
import { type RuntimePreference, RuntimeType } from '../../schemas/session.ts';
import type { Toolchain } from '../../toolchains/toolchain.ts';
import { outdatedBy } from './outdated.ts';

/** What a client asked for, as far as it bears on where its code runs. */
export interface Selection {
  readonly language: Language;
  readonly preference: RuntimePreference;
  /** `runtimeType` as the client wrote it. */
  readonly forced: string | undefined;
  /** What a language's alias such as `node` means, if it can be had. */
  readonly preferred?: string | undefined;
  /** What a language's alias such as `bun` means. */
  readonly toolchain?: Toolchain | undefined;
  readonly request: RuntimeRequest;
}

/** Figures of an available runtime, measured when it was probed. */
interface Candidate {
  readonly runtime: Runtime;
  readonly startupMs: number;
  readonly memoryMB: number;
}

/** What a request needs of a runtime's capabilities; the field that asks for it, and what having it is called. */
const NEEDS: readonly {
  readonly capability: keyof RuntimeCapabilities;
  readonly field: string;
  readonly does: string;
  readonly asks: (request: RuntimeRequest) => boolean;
}[] = [
  {
    capability: 'image',
    field: 'dockerImage',
    does: 'runs images',
    asks: ({ dockerImage }) => dockerImage !== undefined,
  },
  {
    capability: 'permissions',
    field: 'permissions',
    does: 'has permissions',
    asks: ({ permissions }) => permissions !== undefined,
  },
  {
    capability: 'writableRoot',
    field: 'config.readOnlyFilesystem',
    does: 'honours false',
    asks: ({ readOnlyFilesystem }) => readOnlyFilesystem === false,
  },
  {
    capability: 'layers',
    field: 'packages',
    does: 'installs packages',
    asks: ({ packages }) => packages === true,
  },
  {
    capability: 'egress',
    field: 'network',
    does: 'has a network',
    asks: ({ network }) => network !== undefined,
  },
  {
    capability: 'addresses',
    field: 'network',
    does: 'connects to addresses without a name',
    asks: ({ network }) => network === 'addresses',
  },
  {
    capability: 'home',
    field: 'language',
    does: `has files at ${USER_HOME}`,
    asks: ({ home }) => home === true,
  },
];

/** What is being prepared takes some minutes; seconds. */
const COMING_S = 20;

/** Weights of speed, security and memory under `Balanced`. */
const BALANCED = { speed: 0.4, security: 0.3, memory: 0.3 };

/**
 * Picks the runtime for a call: those that are available and can honour every option asked for stand; the preference
 * ranks them; ties go by the order of the list. Of a toolchain whose programs want the newest version only that stands.
 * @throws {ServiceError} RUNTIME_UNAVAILABLE listing every candidate with its reason; NOT_SUPPORTED for an option
 * that no runtime of the language can honour
 */
export function selectRuntime(runtimes: readonly Runtime[], asked: Selection): Runtime {
  const { language, request, toolchain } = asked;
  const forced = asked.forced === undefined ? undefined : runtimeNamed(asked.forced, runtimes);
  if (forced && toolchain) requireToolchain(runtimes, forced, { language, toolchain });
  const candidates = runtimes.filter(runtime => {
    if (forced) return runtime.type === forced;
    const own = runtime.toolchainFor(language);
    return toolchain ? own === toolchain : own !== undefined;
  });
  const standing: Candidate[] = [];
  const refusals: string[] = [];
  /** What candidates say to the request itself, wherever they are available. */
  const objections = candidates.map(runtime => objection(runtime, request, runtimes));
  const able = candidates.flatMap((runtime, i) =>
    objections[i] === null ? [{ runtime, state: runtime.stateFor(language, request) }] : [],
  );
  for (const [i, runtime] of candidates.entries()) {
    const state = runtime.stateFor(language, request);
    const newestOnly = !forced && runtime.toolchainFor(language)?.newestOnly;
    const outdated = newestOnly ? outdatedBy(able, { runtime, state }) : null;
    const verdict = judge(runtime, asked) ?? objections[i] ?? outdated;
    if (verdict === null && state.available) standing.push({ runtime, ...state });
    else refusals.push(`${runtime.type}: ${verdict}`);
  }
  const best =
    standing.find(({ runtime }) => runtime.type === asked.preferred) ?? rank(standing, asked.preference);
  if (best) return best.runtime;
  const details = refusals.join('; ') || `${forced ?? language.displayName} is not set up on this server`;
  // Longest refusal among the runtimes that lack a requested option: it says most.
  const [refused] = objections.filter(reason => reason !== null).sort((a, b) => b.length - a.length);
  if (refused !== undefined && objections.every(reason => reason !== null)) {
    const [field = ''] = refused.split(':', 1);
    throw new ServiceError('NOT_SUPPORTED', refused, { field, details });
  }
  const coming = able.some(({ state }) => !state.available && state.coming !== undefined);
  throw new ServiceError('RUNTIME_UNAVAILABLE', `No runtime can run this ${language.name}: ${details}`, {
    details,
    ...(coming && { retryAfter: COMING_S }),
    ...(forced && { field: 'runtimeType' }),
  });
}

/** Why a runtime can't honour a request, naming the field; null if it can. */
function objection(runtime: Runtime, request: RuntimeRequest, all: readonly Runtime[]): string | null {
  for (const { capability, field, does, asks } of NEEDS) {
    if (!asks(request) || runtime.capabilities[capability]) continue;
    const able = all.filter(({ capabilities }) => capabilities[capability]).map(({ type }) => type);
    return `${field}: ${able.length ? `only ${able.join(', ')}` : 'nothing on this server'} ${does}`;
  }
  return runtime.refuses(request);
}

/** An alias such as `bun` and a `runtimeType` must mean the same. */
function requireToolchain(
  runtimes: readonly Runtime[],
  forced: RuntimeType,
  { language, toolchain }: { language: Language; toolchain: Toolchain },
): void {
  const meant = runtimes.filter(runtime => runtime.toolchainFor(language) === toolchain);
  if (meant.some(({ type }) => type === forced)) return;
  const name = meant.map(({ type }) => type).join(' or ') || toolchain.name;
  throw invalid('runtimeType', `${toolchain.name} means the ${name} runtime`);
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

/** Of those that there are anywhere, and those of this server. @throws {ServiceError} VALIDATION_ERROR */
function runtimeNamed(name: string, runtimes: readonly Runtime[]): RuntimeType {
  const words = [...new Set<RuntimeType>([...RuntimeType.enum, ...runtimes.map(({ type }) => type)])];
  const found = words.find(type => type.toLowerCase() === name.toLowerCase());
  if (found) return found;
  throw new ServiceError('VALIDATION_ERROR', `runtimeType: must be one of ${words.join(', ')}`, {
    field: 'runtimeType',
  });
}

/** Why a runtime can't run this language here and now; null if it can. */
function judge(runtime: Runtime, { language, request }: Selection): string | null {
  if (!runtime.toolchainFor(language)) return `does not run ${language.name}`;
  const state = runtime.stateFor(language, request);
  if (state.available) return null;
  return state.remedy ? `${state.reason} (cure: ${state.remedy})` : state.reason;
}
