import type { RuntimeType } from '../../schemas/session.ts';
import type { RuntimeProvider } from '../provider.ts';
import { NO_CAPABILITIES, type RuntimeCapabilities } from '../runtime.ts';
import { DockerRuntime } from './docker-runtime.ts';

/** One kind of containers of an engine. */
export interface ContainerKind {
  readonly type: RuntimeType;
  /** The engine's own runtime that runs them, by the name it is configured with (`docker run --runtime`); its usual one without. */
  readonly engineRuntime?: string;
  /** From 0 to 10, as clients see it. */
  readonly isolationLevel: number;
  /** Beside none. */
  readonly capabilities: Partial<RuntimeCapabilities>;
}

/** Sandboxes in containers of an engine. Several kinds may be offered at once: each sweeps what is its own. */
export function containers({
  type,
  engineRuntime,
  isolationLevel,
  capabilities,
}: ContainerKind): RuntimeProvider {
  return {
    type,
    create: ({ instance, images, library }) =>
      new DockerRuntime({
        type,
        engineRuntime,
        isolationLevel,
        capabilities: { ...NO_CAPABILITIES, ...capabilities },
        instance: engineRuntime === undefined ? instance : `${instance}-${type.toLowerCase()}`,
        allowed: images,
        library,
      }),
  };
}

/** Namespaces, a filter, a control group and an unprivileged user as in local sandboxes, and a root of its own. */
export const docker = containers({
  type: 'Docker',
  isolationLevel: 8,
  capabilities: { image: true, writableRoot: true },
});
