import { describe, expect, it } from 'vitest';
import type { Runtime, RuntimeRequest } from '../../../src/runtimes/runtime.ts';
import { STARTING } from '../../../src/runtimes/runtime.ts';
import type { RuntimePreference } from '../../../src/schemas/session.ts';
import { planLease } from '../../../src/service/placement/lease.ts';
import { bun } from '../../../src/toolchains/bun.ts';
import { cpython } from '../../../src/toolchains/cpython.ts';
import { deno } from '../../../src/toolchains/deno.ts';
import { node } from '../../../src/toolchains/node.ts';
import { MemoryRuntime, type MemoryRuntimeOptions } from '../support/memory-runtime.ts';

const ready = (startupMs: number, memoryMB: number) =>
  ({ available: true, version: '1', startupMs, memoryMB }) as const;
const missing = (reason: string, remedy: string | null = null) =>
  ({ available: false, reason, remedy, version: null }) as const;

const BUN: MemoryRuntimeOptions = { type: 'Bun', isolationLevel: 7, toolchains: [bun], state: ready(10, 20) };
const DENO: MemoryRuntimeOptions = {
  type: 'Deno',
  isolationLevel: 8,
  toolchains: [deno],
  state: ready(30, 40),
  capabilities: { permissions: true },
};
const NODE: MemoryRuntimeOptions = {
  type: 'NodeJs',
  isolationLevel: 7,
  toolchains: [node],
  state: ready(40, 15),
};
const DOCKER: MemoryRuntimeOptions = {
  type: 'Docker',
  isolationLevel: 9,
  toolchains: [cpython, node],
  state: ready(400, 5),
  capabilities: { image: true, writableRoot: true },
};

/** What a request of JavaScript, or another language, comes to. */
function place(
  runtimes: readonly (MemoryRuntimeOptions | Runtime)[],
  asked: {
    language?: string;
    runtimeType?: string;
    runtimePreference?: RuntimePreference;
    request?: RuntimeRequest;
  } = {},
) {
  const all = runtimes.map(each => ('create' in each ? each : new MemoryRuntime(each)));
  const { runtime, toolchain, language } = planLease(all, {
    language: 'javascript',
    runtimePreference: 'Balanced',
    request: {},
    purpose: 'program',
    memoryMB: 64,
    cpus: 1,
    environment: {},
    ...asked,
  });
  return { runtime: runtime.type, toolchain: toolchain.name, language: language.name };
}

describe('a runtime is chosen', () => {
  it.each([
    ['Speed', 'Bun'],
    ['Security', 'Docker'],
    ['Memory', 'Docker'],
    ['Balanced', 'Bun'],
  ] as const)('by %s among those that run the language', (runtimePreference, type) => {
    expect(place([DOCKER, DENO, BUN, NODE], { runtimePreference }).runtime).toBe(type);
  });

  it('among those that are available', () => {
    expect(place([{ ...BUN, state: missing('no') }, NODE]).runtime).toBe('NodeJs');
  });

  it('among those that have what is asked for', () => {
    expect(place([BUN, DENO, DOCKER], { request: { permissions: {} } }).runtime).toBe('Deno');
    expect(place([BUN, DENO, DOCKER], { request: { dockerImage: 'a' } }).runtime).toBe('Docker');
    expect(place([BUN, DENO, DOCKER], { request: { readOnlyFilesystem: false } }).runtime).toBe('Docker');
  });

  it('as if nothing special were asked for where what is asked is what all do', () => {
    expect(place([BUN, DOCKER], { request: { readOnlyFilesystem: true } }).runtime).toBe('Bun');
  });

  it.each(['node', 'nodejs', 'Node'])(
    'Node.js for who says %s, where it is there and does what is asked',
    language => {
      expect(place([DOCKER, BUN, NODE], { language }).runtime).toBe('NodeJs');
      expect(place([DOCKER, BUN, NODE], { language, runtimePreference: 'Security' }).runtime).toBe('NodeJs');
      expect(place([DOCKER, BUN, NODE], { language, runtimeType: 'Bun' }).runtime).toBe('Bun');
      expect(place([DOCKER, BUN, NODE], { language, request: { dockerImage: 'a' } }).runtime).toBe('Docker');
      expect(place([BUN, { ...NODE, state: missing('no') }], { language }).runtime).toBe('Bun');
    },
  );

  it.each(['Docker', 'docker', 'DOCKER'])('by its name, though it is worse: %s', runtimeType => {
    expect(place([BUN, DOCKER], { runtimeType }).runtime).toBe('Docker');
  });

  it('in the order of the list where they are as good', () => {
    const same = { isolationLevel: 7, state: ready(10, 10) };
    expect(
      place([
        { ...NODE, ...same },
        { ...BUN, ...same },
      ]).runtime,
    ).toBe('NodeJs');
    expect(
      place([
        { ...BUN, ...same },
        { ...NODE, ...same },
      ]).runtime,
    ).toBe('Bun');
  });
});

describe('an alias', () => {
  it.each([
    ['bun', { runtime: 'Bun', toolchain: 'bun', language: 'typescript' }],
    ['deno', { runtime: 'Deno', toolchain: 'deno', language: 'typescript' }],
    ['BUN', { runtime: 'Bun', toolchain: 'bun', language: 'typescript' }],
  ])('%s means its toolchain, whatever is better', (language, placed) => {
    expect(place([NODE, BUN, DENO], { language, runtimePreference: 'Memory' })).toEqual(placed);
  });

  it.each([
    ['py', 'python'],
    ['js', 'javascript'],
    ['node', 'javascript'],
    ['TS', 'typescript'],
  ])('%s is a name of %s, whatever runs it', (language, name) => {
    expect(place([DOCKER, BUN], { language }).language).toBe(name);
  });

  it('is refused beside the name of a runtime that means another toolchain', () => {
    expect(() => place([BUN, DENO], { language: 'bun', runtimeType: 'Deno' })).toThrow(
      expect.objectContaining({
        code: 'VALIDATION_ERROR',
        field: 'runtimeType',
        message: 'runtimeType: bun means the Bun runtime',
      }),
    );
  });

  it('may stand beside the name of its own', () => {
    expect(place([BUN, DENO], { language: 'deno', runtimeType: 'deno' }).runtime).toBe('Deno');
  });

  it('is unavailable where its toolchain is not, though another runs the language', () => {
    expect(() => place([NODE], { language: 'bun' })).toThrow(
      expect.objectContaining({ code: 'RUNTIME_UNAVAILABLE' }),
    );
  });
});

describe('no runtime', () => {
  it('can be had: each says why, with the cure where there is one', () => {
    const runtimes = [
      { ...BUN, state: missing('bun was not found', 'npm rebuild bun') },
      { ...NODE, state: missing(STARTING) },
      { type: 'Python' } as const,
    ];
    expect(() => place(runtimes)).toThrow(
      expect.objectContaining({
        code: 'RUNTIME_UNAVAILABLE',
        details: 'Bun: bun was not found (cure: npm rebuild bun); NodeJs: starting',
      }),
    );
  });

  it('of that name runs the language: it says so', () => {
    expect(() => place([BUN, { type: 'Python' }], { runtimeType: 'Python' })).toThrow(
      expect.objectContaining({
        code: 'RUNTIME_UNAVAILABLE',
        field: 'runtimeType',
        details: 'Python: does not run javascript',
      }),
    );
  });

  it('of that name is on this server: it says so', () => {
    expect(() => place([BUN], { runtimeType: 'Docker' })).toThrow(
      expect.objectContaining({ details: 'Docker is not set up on this server' }),
    );
  });

  it('for that language is on this server: it says so', () => {
    expect(() => place([BUN], { language: 'go' })).toThrow(
      expect.objectContaining({
        code: 'RUNTIME_UNAVAILABLE',
        details: 'Go is not set up on this server',
      }),
    );
  });

  it('can do what is asked: it names the field and those that could', () => {
    expect(() => place([BUN, { ...DENO, toolchains: [] }], { request: { permissions: {} } })).toThrow(
      expect.objectContaining({
        code: 'NOT_SUPPORTED',
        field: 'permissions',
        message: 'permissions: only Deno has permissions',
      }),
    );
  });

  it('can do what is asked at all: it says that', () => {
    expect(() => place([BUN], { request: { dockerImage: 'x' } })).toThrow(
      expect.objectContaining({ message: 'dockerImage: nothing on this server runs images' }),
    );
  });

  it('that could do what is asked is available: that is the reason', () => {
    expect(() =>
      place([BUN, { ...DOCKER, state: missing('no engine') }], { request: { dockerImage: 'x' } }),
    ).toThrow(
      expect.objectContaining({
        code: 'RUNTIME_UNAVAILABLE',
        details: 'Bun: dockerImage: only Docker runs images; Docker: no engine',
      }),
    );
  });

  it('allows what is asked: the longest refusal says most', () => {
    const refusing = { ...DOCKER, refuses: () => 'dockerImage: x is not among the images of this server' };
    expect(() => place([BUN, refusing], { request: { dockerImage: 'x' } })).toThrow(
      expect.objectContaining({
        code: 'NOT_SUPPORTED',
        field: 'dockerImage',
        message: 'dockerImage: x is not among the images of this server',
      }),
    );
  });

  it('is needed for a language that nobody knows: it names those that are', () => {
    expect(() => place([BUN], { language: 'COBOL' })).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_LANGUAGE',
        field: 'language',
        message:
          'language: "COBOL" is not a language of this server, which has python, javascript, typescript, go, csharp',
      }),
    );
  });
});

describe('a plan', () => {
  const plan = (more: object = {}) =>
    planLease([new MemoryRuntime(DENO)], {
      language: 'deno',
      runtimePreference: 'Balanced',
      request: {},
      purpose: 'session',
      memoryMB: 64,
      cpus: 0.5,
      environment: {},
      ...more,
    });

  it('leaves half of the memory to files', () => {
    expect(plan().limits).toMatchObject({ memoryBytes: 64 << 20, diskBytes: 32 << 20, cpus: 0.5 });
  });

  it('tells the toolchain of permissions and of the names of variables', () => {
    const permissions = { allowRead: ['/tmp'] };
    expect(plan({ request: { permissions }, environment: { A: '1', B: '2' } }).permissions).toEqual({
      asked: permissions,
      variables: ['A', 'B'],
      network: false,
    });
  });
});
