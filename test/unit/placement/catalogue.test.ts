import { describe, expect, it } from 'vitest';
import { STARTING } from '../../../src/runtimes/runtime.ts';
import { bun } from '../../../src/toolchains/bun.ts';
import { cpython } from '../../../src/toolchains/cpython.ts';
import { settle, standStill } from '../support/clock.ts';
import { MemoryRuntime, type MemoryRuntimeOptions } from '../support/memory-runtime.ts';
import { openService } from '../support/open-service.ts';
import { runsOn } from '../support/scripts.ts';

standStill();

const missing = (reason: string, remedy: string | null = null) =>
  ({ available: false, reason, remedy, version: '0.9' }) as const;
const open = (...runtimes: MemoryRuntimeOptions[]) => {
  const made = runtimes.map(options => new MemoryRuntime(options));
  return { ...openService({ runtimes: made }), made };
};

describe('the list of languages', () => {
  it('has every language, whatever can run here', async () => {
    const { service } = open();
    expect((await service.languages()).map(({ name }) => name)).toEqual([
      'python',
      'javascript',
      'typescript',
      'go',
      'csharp',
    ]);
  });

  it('says what a runtime is worth here and now', async () => {
    const { service } = open({ type: 'Python', isolationLevel: 7 });
    expect(await service.language('py')).toEqual({
      name: 'python',
      displayName: 'Python',
      version: '1.0',
      aliases: ['py', 'python3'],
      dockerImage: 'codebeaker-python:latest',
      runtimes: [
        {
          runtimeType: 'Python',
          available: true,
          reason: null,
          version: '1.0',
          startupMs: 10,
          memoryMB: 4,
          isolationLevel: 7,
        },
      ],
    });
  });

  it('says why one is unavailable, and the cure', async () => {
    const { service } = open({ state: missing('no python3', 'apt-get install python3') });
    expect(await service.language('python')).toMatchObject({
      version: null,
      runtimes: [
        {
          available: false,
          reason: 'no python3 (cure: apt-get install python3)',
          version: '0.9',
          startupMs: null,
          memoryMB: null,
        },
      ],
    });
  });

  it('lists aliases that mean a toolchain too', async () => {
    const { service } = open();
    expect((await service.language('typescript')).aliases).toEqual(['ts', 'bun', 'deno']);
  });

  it.each(['cobol', '', '__proto__'])('has no %j', async name => {
    const { service } = open();
    await expect(service.language(name)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('what the service can do', () => {
  it('is the languages that can be run now, and the limits as they are set', async () => {
    const { service } = open(
      { type: 'Python', toolchains: [cpython] },
      { type: 'Bun', toolchains: [bun], state: missing('no') },
    );
    expect(await service.capabilities()).toEqual({
      supportedLanguages: ['python'],
      supports: new Set(['FileWatch']),
      limits: {
        maxTimeout: 300,
        maxMemory: 2048,
        maxConcurrency: 8,
        maxCodeLength: 100_000,
        maxMessageBytes: 32 * 1024 * 1024,
      },
    });
  });

  it('follows a runtime that comes and goes', async () => {
    const { service, made } = open({ type: 'Python' });
    made[0]!.state = missing('gone');
    const { supportedLanguages, supports } = await service.capabilities();
    expect([supportedLanguages, supports]).toEqual([[], new Set()]);
  });

  it('is terminals where a runtime that is here has them, and packages where they are installed', async () => {
    const able = { pty: true, layers: true };
    const { service, made } = open({ type: 'Python', capabilities: able }, { type: 'Docker' });
    expect((await service.capabilities()).supports).toEqual(new Set(['FileWatch', 'Terminals']));
    made[0]!.state = missing('gone');
    expect((await service.capabilities()).supports).toEqual(new Set(['FileWatch']));
  });
});

describe('the health of the service', () => {
  it('is well with a runtime, though this machine lacks another', async () => {
    const { service } = open({ type: 'Python' }, { type: 'Bun', state: missing('no bun') });
    expect(await service.health()).toMatchObject({
      status: 'healthy',
      starting: false,
      sessions: 0,
      running: 0,
      queued: 0,
      store: null,
      runtimes: { Python: { available: true }, Bun: { available: false, reason: 'no bun' } },
    });
  });

  it('is worse once a runtime is gone that was there', async () => {
    const { service, made } = open({ type: 'Python' }, { type: 'Bun' });
    expect((await service.health()).status).toBe('healthy');
    made[1]!.state = missing('gone');
    expect((await service.health()).status).toBe('degraded');
  });

  it('is worse without a runtime that the operator asked for', async () => {
    const runtimes = [new MemoryRuntime(), new MemoryRuntime({ type: 'Bun', state: missing('no') })];
    const { service } = openService({ runtimes, settings: { runtimes: ['Python', 'Bun'] } });
    expect((await service.health()).status).toBe('degraded');
  });

  it('is worse when results cannot be kept', async () => {
    const { service, store } = open({ type: 'Python' });
    store.problem = 'no space';
    expect(await service.health()).toMatchObject({ status: 'degraded', store: 'no space' });
  });

  it('is bad when nothing can run', async () => {
    expect((await open({ state: missing('no') }).service.health()).status).toBe('unhealthy');
    expect((await open().service.health()).status).toBe('unhealthy');
  });

  it('says that a runtime has not been tried yet', async () => {
    const { service } = open({ type: 'Python' }, { type: 'Bun', state: missing(STARTING) });
    expect(await service.health()).toMatchObject({ status: 'healthy', starting: true });
  });

  it('counts sessions, what runs and what waits', async () => {
    const { service, session, start } = openService({ script: runsOn, settings: { maxConcurrency: 1 } });
    await session();
    await start();
    await start();
    await settle();
    expect(await service.health()).toMatchObject({ sessions: 1, running: 1, queued: 1 });
  });
});
