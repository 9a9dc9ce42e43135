import { Type } from '@sinclair/typebox';
import { type Engine, EngineUnable } from './engine.ts';

const PROBE_MS = 5000;
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

const Version = Type.Object({
  Version: Type.String({ maxLength: 100 }),
  Arch: Type.String({ maxLength: 100 }),
});
const Info = Type.Object({
  OSType: Type.Optional(Type.String()),
  MemoryLimit: Type.Optional(Type.Boolean()),
  PidsLimit: Type.Optional(Type.Boolean()),
  CpuCfsQuota: Type.Optional(Type.Boolean()),
  SecurityOptions: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
});

/** Limits that an engine must support, by the names of its fields. */
const NEEDED = { MemoryLimit: 'memory', PidsLimit: 'processes', CpuCfsQuota: 'CPU' } as const;

export interface CheckedEngine {
  /** The engine's version. */
  readonly version: string;
  /** Users of containers are mapped to a limited range of the machine's (rootless, or userns-remap). */
  readonly mapsUsers: boolean;
}

/** Checks that the engine runs the same machine code and can enforce every limit. @throws {EngineUnable} */
export async function checkEngine(engine: Engine): Promise<CheckedEngine> {
  const version = await engine.ask(Version, docker => docker.version(), PROBE_MS);
  const info = await engine.ask(Info, docker => docker.info(), PROBE_MS);
  if (info.OSType !== 'linux') throw new EngineUnable('the Docker engine runs no Linux containers');
  const architecture = ARCHITECTURES[process.arch];
  if (version.Arch !== architecture) {
    throw new EngineUnable(`the Docker engine runs ${version.Arch}, and the service ${architecture}`);
  }
  const missing = Object.entries(NEEDED).flatMap(([field, name]) =>
    info[field as keyof typeof NEEDED] ? [] : [name],
  );
  if (missing.length > 0) {
    throw new EngineUnable(
      `the Docker engine can't limit ${missing.join(', ')}: its control groups are not delegated to it`,
    );
  }
  const security = info.SecurityOptions ?? [];
  if (!security.some(option => option.includes('seccomp'))) {
    throw new EngineUnable('the Docker engine has no seccomp');
  }
  return {
    version: version.Version,
    mapsUsers: security.some(option => /name=(userns|rootless)/.test(option)),
  };
}
