import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/**
 * Finds what a run left on this machine. A run is given a variable in its environment that no other has; whatever
 * descends from it carries that variable, wherever it went, and shows it in /proc.
 */
export interface Mark {
  /** To be merged into the run's `environment`. */
  readonly environment: Readonly<Record<string, string>>;
  /** Processes of this machine that carry the mark. */
  processes(): number[];
}

export function mark(): Mark {
  const token = randomUUID();
  return {
    environment: { MARK: token },
    processes: () => processIds().filter(pid => read(pid, 'environ').includes(`MARK=${token}`)),
  };
}

/** What a server and all that it started amounts to, so that it can be looked for after their death. */
export interface Family {
  readonly processes: readonly { pid: number; started: string; name: string }[];
  readonly cgroups: readonly string[];
}

/** A process and its descendants, and the cgroups that only descendants are in. */
export function familyOf(root: number): Family {
  const parents = new Map(processIds().map(pid => [pid, parentOf(pid)]));
  const own = new Set(cgroupsOf(root));
  const pids = [...parents.keys()].filter(pid => descends(pid, root, parents));
  // The root of a hierarchy is nobody's.
  const cgroups = new Set(pids.flatMap(cgroupsOf).filter(path => !own.has(path) && !path.endsWith('/')));
  return {
    processes: pids.map(pid => ({ pid, started: startOf(pid), name: read(pid, 'comm').trim() })),
    cgroups: [...cgroups],
  };
}

/** What is still there of a family. */
export function remains(family: Family): string[] {
  const alive = family.processes.filter(p => startOf(p.pid) === p.started && p.started !== '');
  return [...alive.map(p => `process ${p.pid} (${p.name})`), ...family.cgroups.filter(existsSync)];
}

/** Waits until `left` is empty; resolves to what is still there when time is up, which only a fault uses up. */
export async function vanishes<T>(left: () => T[], ms = 30_000): Promise<T[]> {
  const deadline = Date.now() + ms;
  let rest = left();
  // To look through all processes takes time itself: less and less often.
  for (let pause = 20; rest.length > 0 && Date.now() < deadline; pause = Math.min(pause * 1.5, 200)) {
    await new Promise(resolve => setTimeout(resolve, pause));
    rest = left();
  }
  return rest;
}

export function processIds(): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number);
}

function descends(pid: number, root: number, parents: Map<number, number>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) {
    if (at === root) return true;
  }
  return false;
}

/** Fields of /proc/PID/stat after the name, which may hold spaces and brackets. */
function stat(pid: number): string[] {
  const text = read(pid, 'stat');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function parentOf(pid: number): number {
  return Number(stat(pid)[1] ?? 0);
}

/** Empty for a process that is gone or a zombie: nothing of a zombie runs, and its parent decides when it goes. */
function startOf(pid: number): string {
  const fields = stat(pid);
  return fields[0] === 'Z' ? '' : (fields[19] ?? '');
}

function cgroupsOf(pid: number): string[] {
  const lines = read(pid, 'cgroup').trim().split('\n').filter(Boolean);
  return lines.map(line => {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    return `/sys/fs/cgroup${controllers ? `/${controllers.replace('name=', '')}` : ''}${path}`;
  });
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
