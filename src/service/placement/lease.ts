import { invalid, ServiceError } from '../../errors.ts';
import { findLanguage, languages } from '../../languages/index.ts';
import type { Grants, Language, Toolchain } from '../../languages/language.ts';
import type { Runtime, RuntimeOptions, SandboxSpec } from '../../runtimes/runtime.ts';
import { SURROUNDINGS } from '../../runtimes/surroundings.ts';
import { USUAL_LIMITS } from '../../runtimes/usual-limits.ts';
import type { Sandbox, SandboxLimits } from '../../sandbox.ts';
import type { RuntimePreference } from '../../schemas/session.ts';
import { selectRuntime } from './runtime-selector.ts';

const MB = 1024 * 1024;

/** What a session and a one-shot both ask for: somewhere to run a language. */
export interface LeaseRequest {
  readonly language: string;
  readonly runtimeType?: string | undefined;
  readonly runtimePreference?: RuntimePreference | undefined;
  readonly options: RuntimeOptions;
  readonly purpose: SandboxSpec['purpose'];
  readonly memoryMB: number;
  readonly cpus: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** A language understood and a runtime chosen for it; nothing is running yet. */
export interface Plan {
  readonly language: Language;
  readonly runtime: Runtime;
  readonly toolchain: Toolchain;
  readonly purpose: SandboxSpec['purpose'];
  readonly limits: SandboxLimits;
  readonly options: RuntimeOptions;
  /** What the client adds to a program's. */
  readonly environment: Readonly<Record<string, string>>;
  readonly grants: Grants;
}

/** A sandbox and what it was leased for. Whoever opens it closes it. */
export interface Lease extends Plan {
  readonly sandbox: Sandbox;
  /** A program's whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Decides where a request will run, without running anything.
 * @throws {ServiceError} UNSUPPORTED_LANGUAGE, RUNTIME_UNAVAILABLE, NOT_SUPPORTED or VALIDATION_ERROR
 */
export function planLease(runtimes: readonly Runtime[], request: LeaseRequest): Plan {
  const { language, runtimeType } = languageOf(request.language);
  const forced = request.runtimeType ?? runtimeType;
  if (runtimeType && forced?.toLowerCase() !== runtimeType.toLowerCase()) {
    throw invalid('runtimeType', `${request.language} means the ${runtimeType} runtime`);
  }
  const options = request.options;
  const preference = request.runtimePreference ?? 'Balanced';
  const runtime = selectRuntime(runtimes, { language, preference, forced, options });
  const toolchain = language.runtimes[runtime.type];
  if (!toolchain) throw new Error(`${language.name} has no toolchain for ${runtime.type}`);
  const limits = { ...USUAL_LIMITS, memoryBytes: request.memoryMB * MB, cpus: request.cpus };
  const { environment, purpose } = request;
  const grants = { permissions: options.permissions, variables: Object.keys(environment) };
  return { language, runtime, toolchain, limits, options, environment, grants, purpose };
}

/** Makes the sandbox of a plan. @throws {ServiceError} RUNTIME_UNAVAILABLE */
export async function openLease(plan: Plan): Promise<Lease> {
  const { language, toolchain, purpose, limits, options } = plan;
  const sandbox = await plan.runtime.create({ language: language.name, purpose, limits, options });
  return {
    ...plan,
    sandbox,
    env: { ...SURROUNDINGS, ...toolchain.environment, ...sandbox.environment, ...plan.environment },
  };
}

export function languageOf(name: string): NonNullable<ReturnType<typeof findLanguage>> {
  const found = findLanguage(name);
  if (found) return found;
  const names = languages.map(language => language.name).join(', ');
  const message = `language: ${JSON.stringify(name)} is not a language of this server, which has ${names}`;
  throw new ServiceError('UNSUPPORTED_LANGUAGE', message, { field: 'language' });
}
