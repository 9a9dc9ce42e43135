import { describe, expect, it } from 'vitest';
import type { SandboxSpec } from '../../../src/runtimes/runtime.ts';
import { SandboxLost } from '../../../src/sandbox.ts';
import { startProgram } from '../../../src/service/supervision/program.ts';
import { type OutputSink, type Supervision, supervise } from '../../../src/service/supervision/supervise.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import type { Script } from '../support/memory-process.ts';
import { MemorySandbox } from '../support/memory-sandbox.ts';
import { ends, prints, runsOn } from '../support/scripts.ts';

standStill();

const PROGRAM = { argv: ['program'], cwd: '/workspace', env: {}, stdin: 'none' } as const;
const LIMITS = { wallMs: 1000, cpuMs: null, cpus: 1, maxOutputBytes: 100, maxStreamBytes: 1000 };

/** A program under supervision, and what a test may do to it. */
function supervised(
  script: Script,
  plan: Partial<Supervision> = {},
  prepare: (sandbox: MemorySandbox) => void = () => {},
) {
  const sandbox = new MemorySandbox({ limits: {} } as SandboxSpec, script);
  prepare(sandbox);
  const controller = new AbortController();
  const result = supervise({ sandbox, ...LIMITS, cancel: controller.signal, ...plan }, (sink: OutputSink) =>
    startProgram(sandbox, PROGRAM, sink),
  );
  result.catch(() => {});
  return { sandbox, result, cancel: () => controller.abort(), program: () => sandbox.processes[0]! };
}

/** Ends by itself after so long, unless it is killed. */
const endsAfter =
  (ms: number, code = 0): Script =>
  () =>
    new Promise(resolve => setTimeout(resolve, ms, { code }));

/** Uses something, then ends. */
const uses =
  (more: Parameters<MemorySandbox['use']>[0], code: number): Script =>
  (_, { sandbox }) => {
    sandbox.use(more);
    return { code };
  };

describe('a run', () => {
  it.each([
    ['ok', {}, 0, null],
    ['nonzero_exit', { code: 3 }, 3, null],
    ['signalled', { signal: 'SIGSEGV' }, null, 'SIGSEGV'],
  ] as const)('is %s when its program ends with %j', async (outcome, end, exitCode, signal) => {
    const { result } = supervised(ends(end));
    expect(await result).toMatchObject({ outcome, exitCode, signal });
  });

  it('keeps each stream for itself', async () => {
    const { result } = supervised(async (_, { print }) => {
      await print('out');
      await print('err', 'stderr');
      await print('put');
      return {};
    });
    expect(await result).toMatchObject({ stdout: 'output', stderr: 'err', stdoutBytes: 6, stderrBytes: 3 });
  });

  it('keeps the first bytes of a long stream, counts all, and says so', async () => {
    const { result } = supervised(prints('x'.repeat(101)));
    const { stdout, stdoutBytes, truncated, usage, outcome } = await result;
    expect(stdout).toBe('x'.repeat(100));
    expect({ stdoutBytes, truncated, outcome }).toEqual({ stdoutBytes: 101, truncated: true, outcome: 'ok' });
    expect(usage.limitsHit).toEqual(['output']);
  });

  it('lasts from the start of its program, however long that took to come', async () => {
    const { result } = supervised(endsAfter(400), {}, sandbox => {
      sandbox.beforeSpawn = () => new Promise(resolve => setTimeout(resolve, 300));
    });
    await pass(300);
    await pass(400);
    const { durationMs, usage } = await result;
    expect([durationMs, usage.wallMs]).toEqual([400, 400]);
  });

  it('is charged what was used since it began, and begins a period for the peaks', async () => {
    const script: Script = (_, { sandbox }) => {
      sandbox.use({ cpuMs: 70.4 });
      sandbox.measurement = { ...sandbox.measurement, peakMemoryBytes: 5, peakProcesses: 2 };
      return {};
    };
    const { result, sandbox } = supervised(script, {}, before => before.use({ cpuMs: 1000 }));
    expect((await result).usage).toMatchObject({ cpuMs: 70, peakMemoryBytes: 5, peakProcesses: 2 });
    expect(sandbox.periods).toBe(1);
  });

  it('is measured by a meter of its own alone, and the sandbox told that what was killed before is past', async () => {
    const used = { ...new MemorySandbox({ limits: {} } as SandboxSpec, runsOn).measurement, cpuMs: 7 };
    let begun = 0;
    const meter = {
      async begin() {
        return { ...used, cpuMs: begun++ };
      },
      measure: async () => used,
    };
    const { result, sandbox } = supervised(ends({}), { meter });
    expect((await result).usage.cpuMs).toBe(7);
    expect([begun, sandbox.periods, sandbox.apart]).toEqual([1, 0, 1]);
  });

  it('that ends while it is asked what it has used is stopped by no limit', async () => {
    const { measurement } = new MemorySandbox({ limits: {} } as SandboxSpec, runsOn);
    const asked = Promise.withResolvers<void>();
    const meter = { begin: async () => measurement, measure: () => asked.promise.then(() => measurement) };
    const { result, program } = supervised(endsAfter(1001), { meter });
    await pass(1000);
    await pass(1);
    asked.resolve();
    expect((await result).outcome).toBe('ok');
    expect(program().kills).toEqual([]);
  });

  it('has no CPU time where it could not be measured at the start', async () => {
    const { result } = supervised(
      (_, { sandbox }) => {
        sandbox.measurement = { ...sandbox.measurement, cpuMs: 5 };
        return {};
      },
      {},
      sandbox => sandbox.use({ cpuMs: null }),
    );
    expect((await result).usage.cpuMs).toBeNull();
  });

  it('has no CPU time where it could not be measured at the end', async () => {
    expect((await supervised(uses({ cpuMs: null }, 0)).result).usage.cpuMs).toBeNull();
  });

  it('rejects when its program cannot be started', async () => {
    const { result, sandbox } = supervised(ends(), {}, each => {
      each.refusal = new SandboxLost('gone');
    });
    await expect(result).rejects.toThrow('gone');
    expect(sandbox.processes).toEqual([]);
  });

  it('rejects when its program ends without saying how', async () => {
    const { result, program } = supervised(runsOn);
    await settle();
    program().fail(new Error('nonsense'));
    await expect(result).rejects.toThrow('nonsense');
  });
});

describe('a limit that a program hits by itself', () => {
  it.each([
    ['memory_limit', { oomKills: 1 }, ['memory']],
    ['process_limit', { forksRefused: 2 }, ['processes']],
  ] as const)('is the outcome %s of one that fails, whose tree then ends', async (outcome, used, hit) => {
    const { result, program } = supervised(uses(used, 1));
    const { usage, ...rest } = await result;
    expect([rest.outcome, usage.limitsHit]).toEqual([outcome, hit]);
    expect(program().kills).toHaveLength(1);
  });

  it.each([
    ['memory', { oomKills: 1 }],
    ['processes', { forksRefused: 2 }],
  ] as const)('of %s is named and no more for one that recovers', async (hit, used) => {
    const { result, program } = supervised(uses(used, 0));
    const { usage, outcome } = await result;
    expect([outcome, usage.limitsHit]).toEqual(['ok', [hit]]);
    expect(program().kills).toHaveLength(0);
  });

  it('counts only what came to pass during the run', async () => {
    const { result } = supervised(ends({ code: 1 }), {}, sandbox =>
      sandbox.use({ oomKills: 3, forksRefused: 3 }),
    );
    expect((await result).outcome).toBe('nonzero_exit');
  });

  it('is a full disk for one that fails with it', async () => {
    const { result, program } = supervised((_, { sandbox }) => {
      sandbox.full = true;
      return { code: 1 };
    });
    const { usage, outcome } = await result;
    expect([outcome, usage.limitsHit, program().kills.length]).toEqual(['disk_limit', ['disk'], 1]);
  });

  it('says that a process was killed for memory', async () => {
    expect((await supervised(uses({ oomKills: 1 }, 0)).result).usage.oomKilled).toBe(true);
    expect((await supervised(ends()).result).usage.oomKilled).toBe(false);
  });
});

describe('the wall limit', () => {
  it('ends a program that idles at its time, and not before', async () => {
    const { result, program } = supervised(runsOn);
    await pass(999);
    expect(program().runs).toBe(true);
    await pass(1);
    expect(await result).toMatchObject({
      outcome: 'wall_timeout',
      exitCode: null,
      signal: 'SIGKILL',
      durationMs: 1000,
    });
  });

  it('counts from the start of the program', async () => {
    const { program } = supervised(runsOn, {}, sandbox => {
      sandbox.beforeSpawn = () => new Promise(resolve => setTimeout(resolve, 5000));
    });
    await pass(5000);
    await pass(999);
    expect(program().runs).toBe(true);
  });

  it.each([
    ['cpu_timeout', 800, 1],
    ['wall_timeout', 799, 1],
    ['cpu_timeout', 400, 0.5],
    ['cpu_timeout', 800, 4],
    ['wall_timeout', null, 1],
  ] as const)('is a %s for one that used %j ms on %f cores', async (outcome, cpuMs, cpus) => {
    const { result } = supervised(
      (spec, program) => {
        program.sandbox.use({ cpuMs });
        return runsOn(spec, program);
      },
      { cpus },
    );
    await pass(1000);
    expect((await result).outcome).toBe(outcome);
  });

  it('may be none', async () => {
    const { result } = supervised(endsAfter(10_000_000), { wallMs: null });
    await pass(10_000_000);
    expect((await result).outcome).toBe('ok');
  });

  it('does not touch one that has ended in time', async () => {
    const { result, program } = supervised(endsAfter(999));
    await pass(999);
    expect((await result).outcome).toBe('ok');
    await pass(10_000);
    expect(program().kills).toEqual([]);
  });
});

describe('the CPU limit', () => {
  it('ends a program that has used it, though its wall time is long', async () => {
    const { result, sandbox } = supervised(runsOn, { cpuMs: 200, wallMs: 60_000 });
    await pass(500);
    sandbox.use({ cpuMs: 199 });
    await pass(500);
    sandbox.use({ cpuMs: 1 });
    await pass(50);
    expect(await result).toMatchObject({ outcome: 'cpu_timeout', durationMs: 1050 });
  });

  it('is of no effect where CPU time cannot be measured', async () => {
    const { result } = supervised(endsAfter(500), { cpuMs: 1 }, sandbox => sandbox.use({ cpuMs: null }));
    await pass(500);
    expect((await result).outcome).toBe('ok');
  });

  it('is not charged for what ran before', async () => {
    const { result } = supervised(endsAfter(500), { cpuMs: 100 }, sandbox => sandbox.use({ cpuMs: 5000 }));
    await pass(500);
    expect((await result).outcome).toBe('ok');
  });
});

describe('the output limit', () => {
  it.each(['stdout', 'stderr'] as const)('ends a program whose %s goes on and on', async stream => {
    const { result } = supervised(async (spec, program) => {
      await program.print('x'.repeat(1001), stream);
      return runsOn(spec, program);
    });
    const { outcome, usage } = await result;
    expect([outcome, usage.limitsHit]).toEqual(['output_limit', ['output']]);
  });

  it('is of each stream, not of both', async () => {
    const { result } = supervised(async (_, { print }) => {
      await print('x'.repeat(1000));
      await print('x'.repeat(1000), 'stderr');
      return {};
    });
    expect((await result).outcome).toBe('ok');
  });

  it('strikes a program that would have ended well by itself', async () => {
    expect((await supervised(prints('x'.repeat(1001))).result).outcome).toBe('output_limit');
  });
});

describe('cancelling', () => {
  it('ends the program', async () => {
    const { result, cancel, program } = supervised(runsOn);
    await pass(10);
    cancel();
    expect(await result).toMatchObject({ outcome: 'cancelled', signal: 'SIGKILL', durationMs: 10 });
    expect(program().kills).toHaveLength(1);
  });

  it('that comes before the program does ends it as soon as it is there', async () => {
    const { result, cancel } = supervised(runsOn, {}, sandbox => {
      sandbox.beforeSpawn = settle;
    });
    cancel();
    expect((await result).outcome).toBe('cancelled');
  });

  it('that comes after the end changes nothing', async () => {
    const { result, cancel } = supervised(ends());
    const { outcome } = await result;
    cancel();
    expect(outcome).toBe('ok');
  });

  it('keeps what was printed before', async () => {
    const { result, cancel } = supervised(async (spec, program) => {
      await program.print('so far');
      return runsOn(spec, program);
    });
    await settle();
    cancel();
    expect((await result).stdout).toBe('so far');
  });
});

describe('of several causes the first wins', () => {
  it('when a run is cancelled and its time is over before it is gone', async () => {
    const { result, cancel, sandbox, program } = supervised(runsOn, {}, each => {
      each.stubborn = true;
    });
    await pass(990);
    cancel();
    await pass(20);
    sandbox.stubborn = false;
    program().kill();
    expect((await result).outcome).toBe('cancelled');
  });

  it('when its time is over and it is cancelled before it is gone', async () => {
    const { result, cancel, sandbox, program } = supervised(runsOn, {}, each => {
      each.stubborn = true;
    });
    await pass(1000);
    cancel();
    sandbox.stubborn = false;
    program().kill();
    expect((await result).outcome).toBe('wall_timeout');
  });

  it('also when memory is short while it goes', async () => {
    const { result, cancel } = supervised((spec, program) => {
      program.killed.addEventListener('abort', () => program.sandbox.use({ oomKills: 1 }));
      return runsOn(spec, program);
    });
    await settle();
    cancel();
    const { outcome, usage } = await result;
    expect([outcome, usage.limitsHit]).toEqual(['cancelled', ['memory']]);
  });

  it('and the program is stopped once', async () => {
    const { cancel, program } = supervised(runsOn, {}, sandbox => {
      sandbox.stubborn = true;
    });
    await pass(1000);
    cancel();
    await pass(1000);
    expect(program().kills).toHaveLength(1);
  });
});

describe('a program that outlives its kill', () => {
  it('takes its sandbox with it after five seconds', async () => {
    const { result, sandbox, cancel } = supervised(runsOn, {}, each => {
      each.stubborn = true;
    });
    await settle();
    cancel();
    await pass(4999);
    expect(sandbox.closed).toBe(false);
    await pass(1);
    expect(sandbox.closed).toBe(true);
    expect(await result).toMatchObject({ outcome: 'cancelled', exitCode: null, signal: 'SIGKILL' });
  });

  it('keeps its sandbox when it is gone in time', async () => {
    const { result, sandbox, cancel, program } = supervised(runsOn, {}, each => {
      each.stubborn = true;
    });
    await settle();
    cancel();
    await pass(4999);
    sandbox.stubborn = false;
    program().kill();
    await pass(10_000);
    expect((await result).outcome).toBe('cancelled');
    expect(sandbox.closed).toBe(false);
  });
});

describe('a sandbox that is lost', () => {
  it.each([
    ['sandbox_lost', false, []],
    ['memory_limit', true, ['memory']],
  ] as const)('is a %s when that it ran out of memory is %s', async (outcome, outOfMemory, hit) => {
    const { result, sandbox } = supervised(runsOn);
    await settle();
    sandbox.full = true;
    sandbox.lose(new SandboxLost('gone', outOfMemory));
    const { usage, ...rest } = await result;
    expect(rest).toMatchObject({ outcome, exitCode: null, signal: 'SIGKILL' });
    expect([usage.limitsHit, usage.oomKilled]).toEqual([hit, outOfMemory]);
  });

  it('while a run is being cancelled leaves it cancelled', async () => {
    const { result, sandbox, cancel } = supervised(runsOn, {}, each => {
      each.stubborn = true;
    });
    await settle();
    cancel();
    sandbox.lose();
    expect((await result).outcome).toBe('cancelled');
  });
});

describe('a reader that is slow', () => {
  it('holds the program up, which loses nothing', async () => {
    const room = Promise.withResolvers<void>();
    const seen: string[] = [];
    let printed = 0;
    const { result } = supervised(
      async (_, { print }) => {
        for (; printed < 8; printed++) await print('x'.repeat(100_000));
        return {};
      },
      {
        maxStreamBytes: 10_000_000,
        sink: (_stream, data) => {
          seen.push(String(data.byteLength));
          return room.promise;
        },
      },
    );
    await settle();
    expect(seen).toHaveLength(1);
    expect(printed).toBeLessThan(5);
    room.resolve();
    expect(await result).toMatchObject({ outcome: 'ok', stdoutBytes: 800_000 });
    expect(seen).toHaveLength(8);
  });

  it.each([
    ['a cancel', 'cancelled'],
    ['the clock', 'wall_timeout'],
  ])('does not keep %s from ending it', async (what, outcome) => {
    const { result, cancel } = supervised(
      async (spec, program) => {
        await program.print('a');
        await program.print('b');
        return runsOn(spec, program);
      },
      { sink: () => new Promise(() => {}) },
    );
    await settle();
    if (what === 'a cancel') cancel();
    else await pass(1000);
    expect(await result).toMatchObject({ outcome, stdout: 'ab' });
  });
});
