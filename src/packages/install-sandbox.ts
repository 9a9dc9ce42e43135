import { limitsFor } from '../runtimes/default-limits.ts';
import type { Sandbox } from '../sandbox.ts';
import type { Ecosystem } from './ecosystem.ts';
import type { InstallRequest } from './install-request.ts';
import { GATEWAY } from './sandbox-install.ts';

/** Of the sandbox that packages are installed in; its files may take half of the memory. */
const INSTALL_LIMITS = limitsFor({ memoryMB: 2048, cpus: 2 });

/** A sandbox to install in, of the same kind as those that will use what comes of it. */
export function sandboxFor({ language, toolchain, runtime, dockerImage }: InstallRequest): Promise<Sandbox> {
  const spec = { language, toolchain, purpose: 'program', limits: INSTALL_LIMITS, egress: null } as const;
  const request = dockerImage === undefined ? {} : { dockerImage };
  return runtime.create({ ...spec, request, layers: [] });
}

/** What its registry's process does meanwhile. */
export const workOf = ({ name }: Ecosystem, build = false) =>
  ({ kind: 'install', ecosystem: name, address: GATEWAY, build }) as const;
