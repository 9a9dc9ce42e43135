import { setImmediate } from 'node:timers/promises';
import { Type } from '@sinclair/typebox';
import { patchWords } from '../agent/artifact.ts';
import { FileRefused, WORKSPACE } from '../sandbox.ts';
import { closed, oneOf } from '../schemas/shapes.ts';
import { validator } from '../schemas/validate.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { workspacePath } from './paths.ts';
import { toolAnswer } from './tool-answer.ts';

/** How often undoing is tried. */
const MOST_ATTEMPTS = 3;
/** Files of a patch after whose results others have their turn. */
const FILES_PER_TURN = 1000;

const PatchedFile = Type.Object({
  path: Type.String({ description: 'After a rename the new one' }),
  action: oneOf(['created', 'modified', 'deleted', 'renamed'], 'What became of it'),
  added: Type.Integer({ minimum: 0, description: 'Lines' }),
  removed: Type.Integer({ minimum: 0, description: 'Lines' }),
  offset: Type.Integer({
    description: 'Lines by which a hunk lies below where the patch has it (negative: above); the farthest',
  }),
  fuzz: Type.Integer({ minimum: 0, description: 'Lines of context that had to be left out, at most 2' }),
});
const patchedFile = validator(PatchedFile);

export const applyPatch = defineCommand({
  type: 'apply_patch',
  summary: 'Applies a patch of diff -u, GNU diff or git: all of it or nothing',
  params: closed({
    patch: Type.String({
      minLength: 1,
      description: 'As diff -u, GNU diff, git diff or the command diff writes it',
    }),
    targetPath: Type.Optional(
      Type.String({
        default: '.',
        description: 'Where the names of the patch begin, or the one file it is for',
      }),
    ),
    strip: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 255,
        default: 1,
        description: 'Directories left out of each name',
      }),
    ),
    dryRun: Type.Optional(Type.Boolean({ default: false, description: 'Answer as if, and change nothing' })),
    reverse: Type.Optional(Type.Boolean({ default: false, description: 'Undoes the patch' })),
  }),
  result: Type.Object({
    applied: Type.Boolean({ description: 'False for a dry run' }),
    files: Type.Array(PatchedFile, { description: 'In the order of the patch' }),
  }),
  async run({ patch, targetPath = '.', strip = 1, dryRun = false, reverse = false }, context) {
    const target = workspacePath(targetPath, 'targetPath');
    const aside = `${dryRun ? '/tmp' : WORKSPACE}/.patch-${crypto.randomUUID()}`;
    const spec = { target, aside, strip, dryRun, reverse };
    try {
      const { stdout } = await toolAnswer(context, patchWords(spec), patch);
      return { result: { applied: !dryRun, files: await filesOf(stdout) } };
    } catch (error) {
      // What was ended from outside, for want of memory or of time, could neither undo what it had done nor remove this.
      const left = await context.files.stat(aside).catch(() => null);
      if (!left) throw error;
      const state = dryRun ? 'undone' : await undo(context, patchWords({ ...spec, undo: true }));
      const why = (error as Error).message;
      if (state === 'lost') throw new FileRefused(`${why}; what was there before lies in ${aside}`);
      await context.files.remove(aside, { recursive: true }).catch(() => {});
      throw state === 'done' ? new FileRefused(`${why}, when all of the patch had been applied`) : error;
    }
  },
});

/** Puts back what was there, unless all was done. Memory may be short still. */
async function undo(context: CommandContext, words: readonly string[]): Promise<'undone' | 'done' | 'lost'> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    try {
      const { stdout } = await toolAnswer(context, words, '', { anyway: true });
      return stdout === '' ? 'undone' : 'done';
    } catch {
      // Once more.
    }
  }
  return 'lost';
}

async function filesOf(lines: string) {
  const files = [];
  for (const line of lines.split('\n')) {
    if (line === '') continue;
    files.push(fileOf(line));
    if (files.length % FILES_PER_TURN === 0) await setImmediate();
  }
  return files;
}

/** The tool runs beside programs that may have got the better of it. */
function fileOf(line: string) {
  try {
    return patchedFile(JSON.parse(line));
  } catch {
    throw new FileRefused('The patch was applied, and the program that did it was disturbed');
  }
}
