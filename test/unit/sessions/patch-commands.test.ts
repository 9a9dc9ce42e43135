import { describe, expect, it } from 'vitest';
import { standStill } from '../support/clock.ts';
import type { Script } from '../support/memory-process.ts';
import { openService } from '../support/open-service.ts';

standStill();

const AGENT = '/usr/local/lib/codebeaker/agent';

/** A session whose tools say what a test has them say, and the words they were started with. */
async function withTool(script: Script) {
  const words: (readonly string[])[] = [];
  const { session, runtime } = openService({
    script: (spec, program) => {
      words.push(spec.argv);
      return script(spec, program);
    },
  });
  const { execute } = await session();
  const ask = async (fields: object) => (await execute({ type: 'diff', ...fields })).result;
  return { ask, words, runtime };
}

const says =
  (stdout: string, stderr: string, code = 0): Script =>
  async (_, { print }) => {
    await print(stdout, 'stdout');
    await print(stderr, 'stderr');
    return { code };
  };
const counts = { added: 1, removed: 0, identical: false, binary: false };

describe('diff', () => {
  it('is a program of the session, and its answer is what that prints', async () => {
    const { ask, words } = await withTool(says('--- a/f\n', JSON.stringify(counts)));
    const answer = await ask({ originalPath: 'f', modified_content: 'é', context_lines: 1 });
    expect(answer).toMatchObject({ success: true, result: { diff: '--- a/f\n', ...counts } });
    expect(words).toEqual([[AGENT, 'diff', '/workspace', '1', '33554432', 'path:/workspace/f', 'text:2']]);
  });

  it.each([
    ['originalPath', {}],
    ['modifiedPath', { originalContent: 'x' }],
    ['originalContent', { originalPath: 'f', originalContent: '' }],
    ['originalPath', { originalPath: '../f', modifiedContent: '' }],
    ['modifiedPath', { originalContent: '', modifiedPath: '/etc/passwd' }],
    ['contextLines', { originalContent: '', modifiedContent: '', contextLines: -1 }],
    ['format', { originalContent: '', modifiedContent: '', format: 'ed' }],
  ])('names %s as the field of %j that is bad', async (field, fields) => {
    const { ask, words } = await withTool(says('', ''));
    await expect(ask(fields)).rejects.toMatchObject({ code: 'VALIDATION_ERROR', field: `command.${field}` });
    expect(words).toEqual([]);
  });

  it.each([
    ['its sentence', says('', 'File not found: /workspace/f\n', 1), 'File not found: /workspace/f'],
    ['that it was ended', says('', 'x', 139), 'The program that does this was ended'],
    ['that it was disturbed', says('', '{"added":"many"}'), 'The program that does this was disturbed'],
  ])('answers with %s where there is no diff', async (_, script, error) => {
    const { ask } = await withTool(script);
    const texts = { originalContent: 'a', modifiedContent: 'b' };
    expect(await ask(texts)).toMatchObject({ success: false, result: null, error });
  });
});

describe('apply_patch', () => {
  const file = { path: '/workspace/f', action: 'modified', added: 1, removed: 1, offset: 0, fuzz: 0 };

  it('tells what came of each file', async () => {
    const { ask, words } = await withTool(says(`${JSON.stringify(file)}\n`, ''));
    const answer = await ask({
      type: 'apply_patch',
      patch: 'x',
      targetPath: 'd',
      strip: 2,
      dry_run: true,
      reverse: true,
    });
    expect(answer).toMatchObject({ success: true, result: { applied: false, files: [file] } });
    expect(words).toMatchObject([
      [AGENT, 'patch', '/workspace', expect.stringMatching(/^\/tmp\/\.patch-/), '/workspace/d', '2', 'dr'],
    ]);
  });

  it.each([
    ['patch', {}],
    ['patch', { patch: '' }],
    ['targetPath', { patch: 'x', targetPath: '..' }],
    ['strip', { patch: 'x', strip: -1 }],
    ['dryRun', { patch: 'x', dryRun: 'yes' }],
  ])('names %s as the field of %j that is bad', async (field, fields) => {
    const { ask } = await withTool(says('', ''));
    const asked = ask({ type: 'apply_patch', ...fields });
    await expect(asked).rejects.toMatchObject({ code: 'VALIDATION_ERROR', field: `command.${field}` });
  });

  /** A patch that is killed once it has begun; `undo` is what undoing it comes to. */
  const killed = async (undo: Script) => {
    const tool = await withTool(async (spec, program) => {
      if (spec.argv.at(-1)?.includes('u')) return undo(spec, program);
      await tool.runtime.last.files.write(`${spec.argv[3]}/n0`, Buffer.from('left'));
      return says('', '', 137)(spec, program);
    });
    const answer = await tool.ask({ type: 'apply_patch', patch: 'x' });
    return { answer, words: tool.words, left: tool.runtime.last.files.contents.size };
  };
  const ended = 'The program that does this was ended';

  it('has undone what was killed in the middle, and leaves nothing aside', async () => {
    const { answer, words, left } = await killed(says('', ''));
    expect(answer).toMatchObject({ success: false, error: ended });
    const [first = [], second] = words;
    expect(second).toEqual([...first.slice(0, -1), 'u']);
    expect([words.length, left]).toEqual([2, 0]);
  });

  it('tells that all of it was done before it was killed', async () => {
    const { answer, left } = await killed(says('done', ''));
    expect(answer.error).toBe(`${ended}, when all of the patch had been applied`);
    expect(left).toBe(0);
  });

  it('tells where that lies which it could not put back', async () => {
    const { answer, words, left } = await killed(says('', '', 137));
    expect(answer.error).toMatch(/; what was there before lies in \/workspace\/\.patch-[\w-]+$/);
    expect([words.length, left]).toEqual([4, 1]);
  });

  it('undoes what it did even when it is cancelled', async () => {
    const words: string[] = [];
    const began = Promise.withResolvers<void>();
    const { session, runtime, service, call } = openService({
      script: async ({ argv }, program) => {
        words.push(argv.at(-1) ?? '');
        if (argv.at(-1) === 'u') return {};
        await runtime.last.files.write(`${argv[3]}/n0`, Buffer.from('left'));
        began.resolve();
        await new Promise(resolve => program.on('SIGTERM', () => resolve(null)));
        return { signal: 'SIGKILL' };
      },
    });
    const { execute, id } = await session();
    const answer = execute({ type: 'apply_patch', patch: 'x', id: 'p' });
    await began.promise;
    await service.sessions.cancel(id, 'p', call());
    expect((await answer).result).toMatchObject({ success: false });
    expect(words).toEqual(['-', 'u']);
    expect(runtime.last.files.contents.size).toBe(0);
  });
});
