import { ServiceError } from '../../errors.ts';
import { findLanguage, languages, languagesInWords } from '../../languages/index.ts';
import type { Language } from '../../languages/language.ts';
import { BASE_ENV, NETWORK_ENV } from '../../runtimes/base-env.ts';
import { limitsFor } from '../../runtimes/default-limits.ts';
import type { Egress, Runtime, RuntimeRequest, SandboxSpec } from '../../runtimes/runtime.ts';
import type { Sandbox, SandboxLimits } from '../../sandbox.ts';
import type { RuntimePreference } from '../../schemas/session.ts';
import type { Permissions, Toolchain } from '../../toolchains/toolchain.ts';
import { selectRuntime } from './runtime-selector.ts';

/** What a session and a one-shot ask of a sandbox. */
export interface LeaseRequest {
  readonly language: string;
  readonly runtimeType?: string | undefined;
  readonly runtimePreference: RuntimePreference;
  readonly request: RuntimeRequest;
  /** It is to show packages. */
  readonly packages?: boolean;
  /** It is to have a network; null for none. */
  readonly egress?: Egress | null;
  readonly purpose: SandboxSpec['purpose'];
  readonly memoryMB: number;
  readonly cpus: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** A language and the runtime chosen for it; no sandbox exists yet. */
export interface Plan {
  readonly language: Language;
  readonly runtime: Runtime;
  readonly toolchain: Toolchain;
  readonly purpose: SandboxSpec['purpose'];
  readonly limits: SandboxLimits;
  readonly request: RuntimeRequest;
  /** Variables that the client adds. */
  readonly environment: Readonly<Record<string, string>>;
  readonly permissions: Permissions;
  readonly egress: Egress | null;
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
export function planLease(runtimes: readonly Runtime[], asked: LeaseRequest): Plan {
  const { language, toolchain: meant, runtimeType: preferred } = languageOf(asked.language);
  const { request, environment, purpose, memoryMB, cpus, egress = null } = asked;
  const preference = asked.runtimePreference;
  const forced = asked.runtimeType;
  for (const each of runtimes) if (each.toolchainFor(language)) each.want?.();
  const runtime = selectRuntime(runtimes, {
    language,
    preference,
    forced,
    preferred,
    toolchain: meant,
    request: { ...request, ...(asked.packages && { packages: true }), ...networkOf(egress) },
  });
  const toolchain = runtime.toolchainFor(language);
  if (!toolchain) throw new Error(`${language.name} has no toolchain for ${runtime.type}`);
  const permissions = {
    asked: request.permissions,
    variables: Object.keys(environment),
    network: egress !== null,
  };
  const limits = limitsFor({ memoryMB, cpus });
  return { language, runtime, toolchain, limits, request, environment, permissions, purpose, egress };
}

function networkOf(egress: Egress | null): Pick<RuntimeRequest, 'network'> {
  if (!egress) return {};
  return { network: egress.blocks.length > 0 ? 'addresses' : 'names' };
}

/** Makes the sandbox of a plan. @throws {ServiceError} RUNTIME_UNAVAILABLE */
export async function openLease(plan: Plan): Promise<Lease> {
  const { language, toolchain, purpose, limits, request, egress } = plan;
  const spec = { language, toolchain, purpose, limits, request, egress, layers: [] };
  const sandbox = await plan.runtime.create(spec);
  return {
    ...plan,
    sandbox,
    env: {
      ...BASE_ENV,
      ...(egress && NETWORK_ENV),
      ...toolchain.environment,
      ...sandbox.environment,
      ...plan.environment,
    },
  };
}

export function languageOf(name: string): NonNullable<ReturnType<typeof findLanguage>> {
  const found = findLanguage(name);
  if (found) return found;
  const names = languages.map(language => language.name).join(', ');
  const message = `language: ${JSON.stringify(name)} is not a language of this server, which has ${names}`;
  const details = `There are, with aliases: ${languagesInWords()}`;
  throw new ServiceError('UNSUPPORTED_LANGUAGE', message, { field: 'language', details });
}
