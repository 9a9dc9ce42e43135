import type { RuntimeType } from '../../schemas/session.ts';
import type { RuntimeProvider } from '../provider.ts';
import { NO_CAPABILITIES, type RuntimeCapabilities } from '../runtime.ts';
import { DockerRuntime } from './docker-runtime.ts';

/** A kind of containers: what tells one container runtime from another. */
export interface ContainerKind {
  readonly type: RuntimeType;
  /** Name of the engine's runtime (`docker run --runtime`), e.g. `runsc`; its default without. */
  readonly engineRuntime?: string;
  /** See {@link Runtime.isolationLevel}. */
  readonly isolationLevel: number;
  /** Those that are true. */
  readonly capabilities: Partial<RuntimeCapabilities>;
}

/**
 * A runtime whose sandboxes are containers. Several kinds may be registered at once: each has labels of its
 * own and sweeps only its own containers.
 */
export function containers({
  type,
  engineRuntime,
  isolationLevel,
  capabilities,
}: ContainerKind): RuntimeProvider {
  return {
    type,
    create: ({ instance, images, library, network, packages }) =>
      new DockerRuntime({
        type,
        engineRuntime,
        isolationLevel,
        capabilities: {
          ...NO_CAPABILITIES,
          pty: true,
          egress: network,
          layers: packages !== null,
          ...capabilities,
        },
        instance: engineRuntime === undefined ? instance : `${instance}-${type.toLowerCase()}`,
        allowed: images,
        library,
        packages,
      }),
  };
}

/**
 * Isolation as in local sandboxes (namespaces, filter, control group, unprivileged user), and a root file
 * system of its own.
 */
export const docker = containers({
  type: 'Docker',
  isolationLevel: 8,
  capabilities: { image: true },
});
