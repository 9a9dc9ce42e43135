import { matchesGlob } from 'node:path/posix';
import { Type } from '@sinclair/typebox';
import { closed, oneOf, Timestamp } from '../schemas/shapes.ts';
import { defineCommand } from './command.ts';
import { workspacePath } from './paths.ts';

const Entry = Type.Object({
  name: Type.String(),
  path: Type.String({ description: 'Relative to /workspace' }),
  type: oneOf(['file', 'directory', 'symlink', 'other']),
  size: Type.Integer(),
  modifiedAt: Timestamp,
});

export const listDirectory = defineCommand({
  type: 'list_directory',
  aliases: ['list_files'],
  summary: 'Lists a directory',
  params: closed({
    path: Type.Optional(Type.String({ default: '.' })),
    recursive: Type.Optional(Type.Boolean({ description: 'Default false; true when called list_files' })),
    pattern: Type.Optional(
      Type.String({ maxLength: 1024, description: 'A glob; without a slash it is matched against the name' }),
    ),
    includeHidden: Type.Optional(Type.Boolean({ default: false })),
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
  result: Type.Object({ path: Type.String(), entries: Type.Array(Entry) }),
  async run({ path = '.', recursive = false, pattern, includeHidden = false, maxDepth = 0 }, { files }) {
    const target = workspacePath(path, 'path');
    const found = await files.list(target, { recursive, includeHidden, maxDepth });
    const kept = pattern === undefined ? found : found.filter(entry => matches(entry, pattern));
    const entries = kept.map(entry => ({ ...entry, modifiedAt: new Date(entry.modifiedAt).toISOString() }));
    return { result: { path: target, entries } };
  },
});

function matches(entry: { name: string; path: string }, pattern: string): boolean {
  return matchesGlob(pattern.includes('/') ? entry.path : entry.name, pattern);
}
