import { type Engine, EngineUnable } from './engine.ts';

const PROBE_MS = 5000;
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

interface Info {
  readonly OSType?: string;
  readonly MemoryLimit?: boolean;
  readonly PidsLimit?: boolean;
  readonly CpuCfsQuota?: boolean;
  readonly SecurityOptions?: readonly string[];
}

/** What a sandbox must have of an engine, and what it is called there. */
const NEEDED = { MemoryLimit: 'memory', PidsLimit: 'processes', CpuCfsQuota: 'CPU' } as const;

/**
 * Whether the engine can hold a sandbox: it runs the same machine code, and can enforce every limit. Resolves to its
 * version. @throws {EngineUnable}
 */
export async function checkEngine(engine: Engine): Promise<string> {
  const version = await engine.call(docker => docker.version(), PROBE_MS);
  const info = (await engine.call(docker => docker.info(), PROBE_MS)) as Info;
  if (info.OSType !== 'linux') throw new EngineUnable('the Docker engine runs no Linux containers');
  const architecture = ARCHITECTURES[process.arch];
  if (version.Arch !== architecture) {
    throw new EngineUnable(`the Docker engine runs ${version.Arch}, and the service ${architecture}`);
  }
  const missing = Object.entries(NEEDED).flatMap(([field, name]) =>
    info[field as keyof Info] ? [] : [name],
  );
  if (missing.length > 0) {
    throw new EngineUnable(
      `the Docker engine can't limit ${missing.join(', ')}: its control groups are not delegated to it`,
    );
  }
  if (!info.SecurityOptions?.some(option => option.includes('seccomp'))) {
    throw new EngineUnable('the Docker engine has no seccomp');
  }
  return version.Version;
}
