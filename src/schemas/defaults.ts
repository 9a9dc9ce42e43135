import type { ExecuteRequest, ExecutionConfig } from './execution.ts';
import { LIMITS } from './limits.ts';
import type { SessionConfig } from './session.ts';

/** The operator's ceilings, under which defaults stay. */
export interface Ceilings {
  readonly maxTimeoutSeconds: number;
  readonly maxMemoryMB: number;
}

type Filled<T, K extends keyof T> = T & Required<Pick<T, K>>;

/** A one-shot's request with every default in its place; what stays undefined was not asked for. */
export type FilledExecution = Filled<
  Omit<ExecuteRequest, 'config'>,
  'args' | 'files' | 'outputFiles' | 'runtimePreference'
> & {
  readonly config: Filled<
    ExecutionConfig,
    'timeout' | 'compileTimeout' | 'memoryLimit' | 'cpuLimit' | 'environment'
  >;
};

/** Once, right after validation. */
export function fillExecution(
  request: ExecuteRequest,
  { maxTimeoutSeconds, maxMemoryMB }: Ceilings,
): FilledExecution {
  return {
    args: [],
    files: [],
    outputFiles: [],
    runtimePreference: 'Balanced',
    ...request,
    config: {
      timeout: Math.min(LIMITS.timeoutSeconds, maxTimeoutSeconds),
      compileTimeout: Math.min(LIMITS.compileTimeoutSeconds, maxTimeoutSeconds),
      memoryLimit: Math.min(LIMITS.memoryMB, maxMemoryMB),
      cpuLimit: 1,
      environment: {},
      ...request.config,
    },
  };
}

/** A session's configuration with every default in its place, as `SessionInfo.config` gives it back. */
export type FilledSession = Filled<
  SessionConfig,
  | 'runtimePreference'
  | 'idleTimeoutMinutes'
  | 'maxLifetimeMinutes'
  | 'memoryLimitMB'
  | 'cpuShares'
  | 'persistFilesystem'
  | 'environment'
  | 'metadata'
  | 'networkEnabled'
>;

/** Once, right after validation. */
export function fillSession(
  config: SessionConfig,
  { maxMemoryMB }: Pick<Ceilings, 'maxMemoryMB'>,
): FilledSession {
  return {
    runtimePreference: 'Balanced',
    idleTimeoutMinutes: LIMITS.idleTimeoutMinutes,
    maxLifetimeMinutes: LIMITS.maxLifetimeMinutes,
    memoryLimitMB: Math.min(LIMITS.memoryMB, maxMemoryMB),
    cpuShares: LIMITS.sharesPerCore,
    persistFilesystem: true,
    environment: {},
    metadata: {},
    networkEnabled: config.network !== undefined,
    ...config,
  };
}
