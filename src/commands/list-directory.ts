import { setImmediate } from 'node:timers/promises';
import { Type } from '@sinclair/typebox';
import type { FileEntry } from '../sandbox.ts';
import { closed, oneOf, timestamp } from '../schemas/shapes.ts';
import { defineCommand } from './command.ts';
import { globMatcher } from './glob.ts';
import { workspacePath } from './paths.ts';

/** After so long others have their turn: paths can be long, and patterns slow. */
const TURN_MS = 5;

const Entry = Type.Object({
  name: Type.String({ description: 'The last part of its path' }),
  path: Type.String({ description: 'Relative to /workspace' }),
  type: oneOf(['file', 'directory', 'symlink', 'other'], 'A link is not followed'),
  size: Type.Integer({ description: 'Bytes' }),
  modifiedAt: timestamp('When its content last changed'),
});

export const listDirectory = defineCommand({
  type: 'list_directory',
  aliases: ['list_files'],
  summary: 'Lists a directory',
  params: closed({
    path: Type.Optional(Type.String({ default: '.', description: 'Below /workspace, or relative to it' })),
    recursive: Type.Optional(
      Type.Boolean({
        description: 'Lists the directories in it too; default false, and true when called list_files',
      }),
    ),
    pattern: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'A glob: * ? [a-z] ** {a,b}; without a slash it is matched against the name',
      }),
    ),
    includeHidden: Type.Optional(
      Type.Boolean({ default: false, description: 'Lists what begins with a dot too' }),
    ),
    maxDepth: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000_000,
        default: 0,
        description: '0: no limit; 1: direct children',
      }),
    ),
  }),
  adapt(fields, type) {
    if (type === 'list_files') fields.recursive ??= true;
  },
  result: Type.Object({
    path: Type.String({ description: 'Absolute, below /workspace' }),
    entries: Type.Array(Entry, {
      description: 'What is in it, but for what pattern, includeHidden and maxDepth leave out',
    }),
  }),
  async run({ path = '.', recursive = false, pattern, includeHidden = false, maxDepth = 0 }, { files }) {
    const target = workspacePath(path, 'path');
    const matches = pattern === undefined ? null : matcher(pattern);
    const found = await files.list(target, { recursive, includeHidden, maxDepth });
    const kept = matches ? await filter(found, matches) : found;
    const entries = kept.map(entry => ({ ...entry, modifiedAt: new Date(entry.modifiedAt).toISOString() }));
    return { result: { path: target, entries } };
  },
});

function matcher(pattern: string): (entry: FileEntry) => boolean {
  const matches = globMatcher(pattern, 'pattern');
  return pattern.includes('/') ? ({ path }) => matches(path) : ({ name }) => matches(name);
}

async function filter(entries: FileEntry[], matches: (entry: FileEntry) => boolean): Promise<FileEntry[]> {
  const kept: FileEntry[] = [];
  let since = performance.now();
  for (const entry of entries) {
    if (performance.now() - since > TURN_MS) {
      await setImmediate();
      since = performance.now();
    }
    if (matches(entry)) kept.push(entry);
  }
  return kept;
}
