import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WORKSPACE } from '../sandbox.ts';

/**
 * The agent: one static program, written in C, for what surrounds strangers' programs. Inside every sandbox it is process 1,
 * starts programs and touches files for the service (agent.c); beside the server it is the zygote that forks itself into
 * sandboxes (zygote.c). `npm run setup` compiles it. This file alone knows where it lies and how it is called.
 */
export const AGENT_FILE = fileURLToPath(new URL('build/agent', import.meta.url));
/** An addon that holds Bun before its program and forks it into sandboxes (hold/); compiled with the agent. */
export const HOLD_FILE = fileURLToPath(new URL('build/hold.node', import.meta.url));

/** An addon that gives back memory of the server (trim/); compiled with the agent. */
export const TRIM_FILE = fileURLToPath(new URL('build/trim.node', import.meta.url));

/** Why there is no agent to start, as a sentence and the command that mends it; null when there is one. */
export function agentMissing(): { reason: string; cure: string } | null {
  const cure = 'npm run setup';
  if ([AGENT_FILE, HOLD_FILE, TRIM_FILE].some(file => !existsSync(file)))
    return { reason: 'the agent has not been compiled', cure };
  if (compiledFrom() !== sources()) return { reason: 'the agent was compiled from other sources', cure };
  return null;
}

/** Hash of the sources as build.sh took it. */
function compiledFrom(): string {
  const record = `${AGENT_FILE}.sources`;
  return existsSync(record) ? readFileSync(record, 'utf8').trim() : '';
}

function sources(): string {
  const directory = fileURLToPath(new URL('.', import.meta.url));
  const hash = createHash('sha256');
  // Without a pattern: what Node.js looks for those with takes longer to load than all else here.
  for (const folder of ['', 'hold', 'trim'].map(name => join(directory, name))) {
    const names = readdirSync(folder).sort();
    for (const ending of ['.c', '.h'])
      for (const name of names.filter(each => each.endsWith(ending)))
        hash.update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex');
}

/**
 * Arguments of the agent inside a sandbox. `silenceMs`: as long without a word of the service's is the service's end. `filter`: a file with
 * the filter on system calls that it goes behind first, where nothing has put it there. `direct`: a path at which it may be connected to
 * before it has been asked for anything.
 */
export function agentArguments({
  silenceMs,
  filter,
  direct,
}: {
  silenceMs?: number;
  filter?: string;
  direct?: string | undefined;
} = {}): string[] {
  return [
    'agent',
    ...(silenceMs === undefined ? [] : ['--silence', String(silenceMs)]),
    ...(filter === undefined ? [] : ['--filter', filter]),
    ...(direct === undefined ? [] : ['--direct', direct]),
  ];
}

/** Words of `agent diff`: a version is a path, or so many bytes of standard input, the original's first. */
export function diffWords(spec: {
  contextLines: number;
  maxBytes: number;
  original: Version;
  modified: Version;
}): string[] {
  const { contextLines, maxBytes, original, modified } = spec;
  return [
    'diff',
    WORKSPACE,
    String(contextLines),
    String(maxBytes),
    versionWord(original),
    versionWord(modified),
  ];
}

export type Version = { readonly path: string } | { readonly bytes: number };

function versionWord(version: Version): string {
  return 'path' in version ? `path:${version.path}` : `text:${version.bytes}`;
}

/** Words of `agent patch`. `aside`: where it may put what it writes until all of it is there. */
export function patchWords(spec: {
  target: string;
  aside: string;
  strip: number;
  dryRun: boolean;
  reverse: boolean;
  /** What one has done that was killed in the middle. */
  undo?: boolean;
}): string[] {
  const options = (spec.dryRun ? 'd' : '') + (spec.reverse ? 'r' : '') + (spec.undo ? 'u' : '');
  return ['patch', WORKSPACE, spec.aside, spec.target, String(spec.strip), options || '-'];
}

/** Words of `agent watch`. */
export function watchWords(spec: { path: string; recursive: boolean; mostDirectories: number }): string[] {
  return ['watch', WORKSPACE, spec.path, spec.recursive ? '1' : '0', String(spec.mostDirectories)];
}

/** Words of `agent entry`, whose paths are absolute. */
export const entryWords = {
  list: (path: string, depth: number) => ['entry', 'list', String(depth), path],
  make: (path: string) => ['entry', 'make', path],
  move: (from: string, to: string) => ['entry', 'move', from, to],
  remove: (path: string) => ['entry', 'remove', path],
  mark: (path: string) => ['entry', 'mark', path],
  read: (path: string, offset: number, length: number) => [
    'entry',
    'read',
    path,
    String(offset),
    String(length),
  ],
  /** `mode`: permissions; 0: those of the file that is there. */
  write: (path: string, mode: number) => ['entry', 'write', path, String(mode)],
} as const;

/** Words of `agent tar`, whose paths are absolute. */
export const tarWords = {
  pack: (directory: string) => ['tar', 'pack', directory],
  unpack: (directory: string) => ['tar', 'unpack', directory],
} as const;

/** Words of `agent join`, whose paths are absolute. `most`: entries that there may be then. */
export function joinWords(most: number, tree: string, sources: readonly string[]): string[] {
  return ['join', String(most), tree, ...sources];
}

/** Arguments of the zygote: the files that hold its plans (src/launcher/steps.ts) and the system call filter, and where groups lie. */
export function zygoteArguments(
  files: { sandbox: string; template: string; filter: string },
  /** As src/agent/groups.h has them. */
  groups: {
    cpu: readonly [parent: string, file: string, text: string];
    memory: readonly [parent: string, field: string, file: string, text: string];
    parents: readonly string[];
  },
): string[] {
  const { cpu, memory, parents } = groups;
  return ['zygote', files.sandbox, files.template, files.filter, ...cpu, ...memory, ...parents];
}
