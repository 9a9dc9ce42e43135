import { findInterpreters } from '../local/interpreters.ts';
import type { RuntimeProvider } from '../provider.ts';
import { DockerRuntime } from './docker-runtime.ts';

/** Sandboxes in containers of a Docker engine. The agent inside runs on this machine's Bun. */
export const docker: RuntimeProvider = {
  type: 'Docker',
  create: ({ instance, images }) =>
    new DockerRuntime({ type: docker.type, instance, allowed: images, bun: findInterpreters()?.bun ?? null }),
};
