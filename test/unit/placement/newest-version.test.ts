import { describe, expect, it } from 'vitest';
import { planLease } from '../../../src/service/placement/lease.ts';
import { cpython } from '../../../src/toolchains/cpython.ts';
import { gc } from '../../../src/toolchains/go.ts';
import { MemoryRuntime, type MemoryRuntimeOptions } from '../support/memory-runtime.ts';

/** A runtime that is there at once, and a faster one that needs minutes before it is. */
const available = (version: string, startupMs = 10) =>
  ({ available: true, version, startupMs, memoryMB: 4 }) as const;
const compiling = (coming?: string) =>
  ({
    available: false,
    reason: 'the library is being compiled',
    remedy: null,
    version: null,
    coming,
  }) as const;

function place(
  docker: MemoryRuntimeOptions['state'],
  local: MemoryRuntimeOptions['state'],
  {
    runtimeType,
    toolchain = gc,
    dockerImage,
  }: { runtimeType?: string; toolchain?: typeof gc; dockerImage?: string } = {},
) {
  const toolchains = [toolchain];
  const capabilities = { image: true };
  const runtimes = [
    new MemoryRuntime({
      type: 'Docker',
      isolationLevel: 8,
      toolchains,
      capabilities,
      ...(docker && { state: docker }),
    }),
    new MemoryRuntime({ type: 'Go', toolchains, ...(local && { state: local }) }),
  ];
  return planLease(runtimes, {
    language: toolchain === gc ? 'go' : 'python',
    runtimePreference: 'Balanced',
    runtimeType,
    request: dockerImage === undefined ? {} : { dockerImage },
    purpose: 'program',
    memoryMB: 64,
    cpus: 1,
    environment: {},
  }).runtime.type;
}

describe('a program in Go', () => {
  it.each([
    ['the same', '1.26.8'],
    ['a newer one', '1.27.0'],
  ])('runs on what has %s while the other is compiled', (_, version) => {
    expect(place(available(version, 900), compiling('1.26.8'))).toBe('Docker');
  });

  it.each([
    ['an older one', '1.19.8', compiling('1.26.8')],
    ['one that is older by a number of two digits', '1.9', compiling('1.26.8')],
  ])('waits for what is coming rather than meet %s, and is told so', (_, version, local) => {
    const refused = expect.objectContaining({
      code: 'RUNTIME_UNAVAILABLE',
      retryAfter: expect.any(Number),
      message: expect.stringMatching(
        /Docker: its [\d.]+ is older than the 1\.26\.8 that Go is about to have .*; Go: the library is being compiled/,
      ),
    });
    expect(() => place(available(version), local)).toThrow(refused);
  });

  it('meets the newest where all are there, whichever is faster', () => {
    expect(place(available('1.27.0', 900), available('1.26.8'))).toBe('Docker');
    expect(place(available('1.26.8', 900), available('1.26.8'))).toBe('Go');
    expect(place(available('1.19.8', 5), available('1.26.8', 900))).toBe('Go');
  });

  it('runs on an older one where its runtime or an image is named, or nothing else is to come', () => {
    expect(place(available('1.19.8'), compiling('1.26.8'), { runtimeType: 'Docker' })).toBe('Docker');
    expect(place(available('20.10'), compiling('1.26.8'), { dockerImage: 'own' })).toBe('Docker');
    expect(place(available('1.19.8'), compiling())).toBe('Docker');
  });

  it('is told when to come again where it names what is coming', () => {
    const refused = expect.objectContaining({ code: 'RUNTIME_UNAVAILABLE', retryAfter: expect.any(Number) });
    expect(() => place(available('1.26.8'), compiling('1.26.8'), { runtimeType: 'Go' })).toThrow(refused);
  });
});

it('versions of other languages have no say in where a program runs', () => {
  expect(place(available('3.13', 900), available('3.11'), { toolchain: cpython })).toBe('Go');
});
