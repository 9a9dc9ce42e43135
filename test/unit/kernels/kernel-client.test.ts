import { describe, expect, it } from 'vitest';
import type { MimeBundle } from '../../../src/kernels/protocol.ts';
import type { SandboxSpec } from '../../../src/runtimes/runtime.ts';
import { FileRefused, SandboxLost } from '../../../src/sandbox.ts';
import { type Cell, KernelClient, KernelFailed } from '../../../src/service/kernels/kernel-client.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import type { Script, Scripted } from '../support/memory-process.ts';
import { MemorySandbox } from '../support/memory-sandbox.ts';
import { cellError, cells, ends, kernel, runsOn } from '../support/scripts.ts';

standStill();

const MB = 1024 * 1024;

/** Everything there is room for, until it is too much. */
class Taken {
  readonly bundles: MimeBundle[] = [];
  room = true;
  flooded = false;

  admit(): boolean {
    if (this.flooded) throw new Error('too much');
    return this.room;
  }

  add(bundle: MimeBundle): void {
    this.bundles.push(bundle);
  }
}

function begin(script: Script, interruptible = true) {
  const sandbox = new MemorySandbox({ limits: {} } as SandboxSpec, script);
  const started = KernelClient.start(sandbox, { argv: ['k'], interruptible }, { A: 'b' }, '/workspace');
  started.catch(() => {});
  return { sandbox, started };
}

/** A kernel that has started, and how to run cells in it. */
async function open(script: Script, interruptible = true) {
  const { sandbox, started } = begin(script, interruptible);
  const client = await started;
  const results = new Taken();
  let output = '';
  const run = (code = '', more: Partial<Cell> = {}) =>
    client.run(
      { code, typescript: false, stdin: undefined, interactive: false, results, ...more },
      (stream, data) => {
        output += `${stream}:${Buffer.from(data).toString()} `;
      },
    );
  return {
    sandbox,
    client,
    results,
    run,
    process: sandbox.processes[0]!,
    output: () => output,
  };
}

/** Says that it is ready, then what it is told to say to its first cell. */
const answering =
  (say: (program: Scripted) => void): Script =>
  async (spec, program) => {
    program.control({ ready: true });
    for await (const _ of program.requests()) {
      say(program);
      break;
    }
    return runsOn(spec, program);
  };

const done = { cell: 1, done: true, error: null };

describe('a kernel that starts', () => {
  it('is given a descriptor to speak on, no input and its environment', async () => {
    const { process } = await open(kernel(() => undefined));
    expect(process.spec).toEqual({
      argv: ['k'],
      cwd: '/workspace',
      env: { A: 'b' },
      stdin: 'none',
      control: true,
    });
  });

  it('is given up when it is not ready after twenty seconds', async () => {
    const { started, sandbox } = begin(runsOn);
    await pass(19_999);
    expect(sandbox.processes[0]?.runs).toBe(true);
    await pass(1);
    await expect(started).rejects.toThrow('The interpreter did not start in time');
    expect(sandbox.processes[0]?.runs).toBe(false);
  });

  it('is not given up later', async () => {
    const { process } = await open(kernel(() => undefined));
    await pass(60_000);
    expect(process.runs).toBe(true);
  });

  it('fails in words when it ends before it is ready', async () => {
    const { started } = begin(ends({ code: 1 }));
    await expect(started).rejects.toThrow(KernelFailed);
  });

  it('fails as the sandbox does when that is lost meanwhile', async () => {
    const { started, sandbox } = begin(runsOn);
    await settle();
    sandbox.lose(new SandboxLost('gone'));
    await expect(started).rejects.toThrow(SandboxLost);
  });
});

describe('a cell', () => {
  it('is sent with its number, its code and no input', async () => {
    const { run, process } = await open(kernel(() => undefined));
    for (const code of ['a', 'b']) await (await run(code)).ended;
    expect(process.told).toEqual([
      { cell: 1, code: 'a', stdin: '/dev/null', typescript: false },
      { cell: 2, code: 'b', stdin: '/dev/null', typescript: false },
    ]);
  });

  it('says that it is TypeScript', async () => {
    const { run, process } = await open(kernel(() => undefined));
    await (await run('a', { typescript: true })).ended;
    expect(process.told[0]).toMatchObject({ typescript: true });
  });

  it('ends with 0 and hands its output over before', async () => {
    const { run, output } = await open(
      kernel(async (_, { print }) => {
        await print('one');
        await print('two', 'stderr');
        return undefined;
      }),
    );
    const running = await run();
    expect(await running.ended).toEqual({ exitCode: 0, signal: null });
    expect([output(), running.error(), running.died()]).toEqual(['stdout:one stderr:two ', null, false]);
  });

  it('ends with 1 and its error', async () => {
    const error = cellError('ValueError', 'no');
    const { run } = await open(kernel(() => ({ error })));
    const running = await run();
    expect(await running.ended).toEqual({ exitCode: 1, signal: null });
    expect([running.error(), running.died()]).toEqual([error, false]);
  });

  it('has no more of an error than kernels tell, whatever its program says for its kernel', async () => {
    const long = 'é'.repeat(MB / 2);
    const error = { name: long, message: long, traceback: long, more: long };
    const { run } = await open(answering(({ control }) => control({ ...done, error })));
    const running = await run();
    expect(await running.ended).toEqual({ exitCode: 1, signal: null });
    const cutAt = (most: number) => `${long.slice(0, most)}… ${long.length - most} characters left out`;
    expect(running.error()).toStrictEqual({
      name: cutAt(256),
      message: cutAt(64 * 1024),
      traceback: cutAt(256 * 1024),
    });
  });

  it('whose results are full ends as well with an error that is long when escaped', async () => {
    // Python counts each of them once, and escapes it as two.
    const smiles = (count: number) => '\\ud83d\\ude42'.repeat(count);
    const error = `{"name":"E","message":"${smiles(64 * 1024)}","traceback":"${smiles(256 * 1024)}"}`;
    const text = `{"cell":1,"done":true,"error":${error}}\n`;
    const { run, results } = await open(answering(({ controlRaw }) => controlRaw(text)));
    results.room = false;
    const running = await run();
    expect(await running.ended).toEqual({ exitCode: 1, signal: null });
    expect(running.error()?.message).toBe(`${'🙂'.repeat(32 * 1024)}… ${64 * 1024} characters left out`);
  });

  it('has results, in order', async () => {
    const { run, results } = await open(kernel(() => ({ results: [{ 'text/plain': '1' }, {}] })));
    await (await run()).ended;
    expect(results.bundles).toEqual([{ 'text/plain': '1' }, {}]);
  });

  it('may be told of in pieces, as a stream brings them', async () => {
    const { run, results } = await open(
      answering(({ controlRaw }) => {
        const text = `${JSON.stringify({ cell: 1, result: { 'text/plain': 'é' } })}\n${JSON.stringify(done)}\n`;
        for (let i = 0; i < text.length; i += 7) controlRaw(text.slice(i, i + 7));
      }),
    );
    expect(await (await run()).ended).toMatchObject({ exitCode: 0 });
    expect(results.bundles).toHaveLength(1);
  });

  it('that comes to a kernel which has ended meanwhile ends with it', async () => {
    const { run, client, process } = await open(kernel(() => undefined));
    process.kill();
    await settle();
    expect(client.dead).toBe(true);
    const running = await run();
    expect(await running.ended).toEqual({ exitCode: null, signal: 'SIGKILL' });
    expect(running.died()).toBe(true);
  });

  it.each([
    ['exits', (program: Scripted) => ends({ code: 7 })(program.spec, program), { exitCode: 7, signal: null }],
    ['crashes', () => ({ signal: 'SIGSEGV' as const }), { exitCode: null, signal: 'SIGSEGV' }],
  ])('under which the kernel %s ends with it', async (_what, end, status) => {
    const { run, client } = await open(async (_, program) => {
      program.control({ ready: true });
      for await (const _request of program.requests()) break;
      return end(program);
    });
    const running = await run();
    expect(await running.ended).toEqual(status);
    expect([running.died(), running.error(), client.dead]).toEqual([true, null, true]);
  });

  it('is lost with its sandbox', async () => {
    const { run, sandbox, client } = await open(kernel((_, { killed }) => untilKilled(killed)));
    const running = await run();
    sandbox.lose(new SandboxLost('gone'));
    await expect(running.ended).rejects.toThrow(SandboxLost);
    expect(client.dead).toBe(true);
  });
});

const untilKilled = (killed: AbortSignal) =>
  new Promise<undefined>(resolve => killed.addEventListener('abort', () => resolve(undefined)));

describe('a cell with input', () => {
  it('of somebody who types reads it from a pipe of its own', async () => {
    const { run, process } = await open(kernel(() => undefined));
    expect((await run('a', { interactive: true })).input).toBe(process);
    expect(process.told[0]).toMatchObject({ stdin: '/run/input-1' });
  });

  it.each([
    ['a text', 'text', '/run/input-1'],
    ['an empty text', '', '/dev/null'],
  ])('of %s takes no other', async (_what, text, path) => {
    const { run, process } = await open(kernel(() => undefined));
    expect((await run('a', { stdin: text })).input).toBeNull();
    expect(process.told[0]).toMatchObject({ stdin: path });
  });

  it('has none when it asked for none', async () => {
    const { run } = await open(kernel(() => undefined));
    expect((await run()).input).toBeNull();
  });

  it('is refused when there is no room for its pipe, and leaves the kernel free for the next', async () => {
    const { run, sandbox } = await open(kernel(() => undefined));
    sandbox.files.refusal = new FileRefused('full');
    await expect(run('a', { stdin: 'x' })).rejects.toThrow('full');
    sandbox.files.refusal = undefined;
    expect(await (await run('b')).ended).toMatchObject({ exitCode: 0 });
  });
});

describe('nonsense from a kernel ends it', () => {
  it.each([
    ['no JSON', 'hello\n'],
    ['a number', '7\n'],
    ['a list', '[]\n'],
    ['null', 'null\n'],
    ['nothing known', '{"cell":1,"what":true}\n'],
    ['a cell that is not the one', '{"cell":2,"done":true,"error":null}\n'],
    ['a cell by a name', '{"cell":"1","done":true,"error":null}\n'],
    ['an end without a word about errors', '{"cell":1,"done":true}\n'],
    ['an error that is none', '{"cell":1,"done":true,"error":{"name":"E"}}\n'],
    ['a result that is a list', '{"cell":1,"result":[1]}\n'],
    ['a result that is null', '{"cell":1,"result":null}\n'],
    ['a deep one', `${'['.repeat(101)}${']'.repeat(101)}\n`],
    ['a line without an end', 'x'.repeat(8 * MB + 1)],
  ])('when it is %s', async (_what, text) => {
    const { run, process, client, results } = await open(answering(({ controlRaw }) => controlRaw(text)));
    const running = await run();
    expect(await running.ended).toEqual({ exitCode: null, signal: 'SIGKILL' });
    expect([client.dead, process.runs, results.bundles.length]).toEqual([true, false, 0]);
  });

  it('when a cell ends twice', async () => {
    const { run, client } = await open(
      answering(({ control }) => {
        control(done);
        control(done);
      }),
    );
    expect(await (await run()).ended).toMatchObject({ exitCode: 0 });
    await settle();
    expect(client.dead).toBe(true);
  });

  it('when a result comes between cells', async () => {
    const { run, client, results } = await open(
      answering(({ control }) => {
        control(done);
        control({ cell: 1, result: {} });
      }),
    );
    await (await run()).ended;
    await settle();
    expect([client.dead, results.bundles]).toEqual([true, []]);
  });

  it('and nothing it says after that is heard', async () => {
    const { run, results } = await open(
      answering(({ controlRaw }) => controlRaw(`x\n${JSON.stringify({ cell: 1, result: {} })}\n`)),
    );
    await (await run()).ended;
    expect(results.bundles).toEqual([]);
  });

  it('but a second word that it is ready is none', async () => {
    const { run } = await open(
      answering(({ control }) => {
        control({ ready: true });
        control(done);
      }),
    );
    expect(await (await run()).ended).toMatchObject({ exitCode: 0 });
  });
});

describe('a flood', () => {
  it('of results that nobody wants ends the kernel', async () => {
    const { run, results, client } = await open(answering(({ control }) => control({ cell: 1, result: {} })));
    results.flooded = true;
    expect(await (await run()).ended).toMatchObject({ signal: 'SIGKILL' });
    expect(client.dead).toBe(true);
  });

  it.each([
    ['small', 10],
    ['large', 5 * MB],
  ])('leaves %s results out for which there is no room', async (_size, length) => {
    const { run, results } = await open(kernel(() => ({ results: [{ 'text/plain': 'x'.repeat(length) }] })));
    results.room = false;
    expect(await (await run()).ended).toMatchObject({ exitCode: 0 });
    expect(results.bundles).toEqual([]);
  });

  it('of output between cells goes nowhere, and at 16 MB ends the kernel', async () => {
    let print: Scripted['print'] = async () => {};
    const { run, client, output } = await open(
      kernel((_, program) => {
        ({ print } = program);
        return undefined;
      }),
    );
    await (await run()).ended;
    for (let i = 0; i < 16; i++) await print(Buffer.alloc(MB));
    await settle();
    expect(client.dead).toBe(false);
    await print('x');
    await settle();
    expect([client.dead, output()]).toEqual([true, '']);
  });

  it('of output between cells is counted anew after each', async () => {
    let print: Scripted['print'] = async () => {};
    const { run, client } = await open(
      kernel((_, program) => {
        ({ print } = program);
        return undefined;
      }),
    );
    for (let i = 0; i < 3; i++) {
      await (await run()).ended;
      await print(Buffer.alloc(12 * MB));
      await settle();
    }
    expect(client.dead).toBe(false);
  });
});

describe('stopping a cell', () => {
  const gives = cells({
    in: (program, { cell }) =>
      new Promise(resolve =>
        program.on('SIGINT', () => resolve({ error: cellError(`KeyboardInterrupt ${cell}`) })),
      ),
    not: ({ on, killed }) => {
      on('SIGINT', () => {});
      return untilKilled(killed);
    },
  });

  it('interrupts it, ends what it started and keeps the kernel', async () => {
    const { run, process, client } = await open(gives);
    const running = await run('in');
    await settle();
    running.stop();
    await pass(250);
    expect(await running.ended).toEqual({ exitCode: 1, signal: null });
    expect([process.signals, process.kills]).toEqual([['SIGINT'], [{ keepRoot: true }]]);
    await pass(5000);
    expect([client.dead, running.died()]).toEqual([false, false]);
  });

  it('kills a kernel that does not give in within three seconds', async () => {
    const { run, process, client } = await open(gives);
    const running = await run('not');
    await settle();
    running.stop();
    await pass(2999);
    expect(process.runs).toBe(true);
    await pass(1);
    expect(await running.ended).toMatchObject({ signal: 'SIGKILL' });
    expect(client.dead).toBe(true);
  });

  it('kills a kernel at once that cannot be interrupted', async () => {
    const { run, process } = await open(gives, false);
    const running = await run('not');
    running.stop();
    expect(process.kills).toEqual([{}]);
    expect(await running.ended).toMatchObject({ signal: 'SIGKILL' });
  });

  it('by a signal of the client’s reaches the kernel’s process', async () => {
    const { run, process } = await open(gives);
    const running = await run('not');
    running.signal('SIGUSR1');
    expect(process.signals).toEqual(['SIGUSR1']);
  });

  it('by SIGINT names the cell first, and sends the signal once the cell has had time to begin', async () => {
    const { run, process } = await open(gives);
    const running = await run('not');
    for (let i = 0; i < 3; i++) running.signal('SIGINT');
    expect([process.told.slice(1), process.signals]).toEqual([[{ interrupt: 1 }], []]);
    await pass(250);
    running.signal('SIGINT');
    expect([process.told.slice(1), process.signals]).toEqual([[{ interrupt: 1 }], ['SIGINT', 'SIGINT']]);
  });

  it('by SIGINT does not reach the cell after it', async () => {
    const { run, process } = await open(kernel(() => undefined));
    const running = await run();
    running.signal('SIGINT');
    await running.ended;
    await run();
    await pass(250);
    expect(process.signals).toEqual([]);
  });

  it('ends what it left running, and not the kernel', async () => {
    const { run, process } = await open(kernel(() => undefined));
    const running = await run();
    await running.ended;
    running.sweep();
    expect(process.kills).toEqual([{ keepRoot: true }]);
    expect(process.runs).toBe(true);
  });
});
