import { dlopen, FFIType } from 'bun:ffi';

/** The little of Bun that the kernel uses, captured before any cell can replace it. */
interface BunApi {
  connect(options: {
    fd: number;
    socket: { data(socket: unknown, chunk: Uint8Array): void; close(): void; error(): void };
  }): Promise<unknown>;
  inspect(value: unknown): string;
  resolveSync(specifier: string, from: string): string;
  Transpiler: new (
    options: Record<string, unknown>,
  ) => {
    transformSync(code: string): string;
    scanImports(code: string): { path: string }[];
  };
}

const api = (globalThis as unknown as { Bun: BunApi }).Bun;
export const { connect, inspect, resolveSync, Transpiler } = api;

const { i32, i64_fast, ptr, u64 } = FFIType;

/** System calls without node:fs, which takes longer to load than all of the kernel. */
export const { symbols: libc } = dlopen('libc.so.6', {
  write: { args: [i32, ptr, u64], returns: i64_fast },
  close: { args: [i32], returns: i32 },
  unlink: { args: [ptr], returns: i32 },
  open: { args: [ptr, i32], returns: i32 },
  dup2: { args: [i32, i32], returns: i32 },
  fcntl: { args: [i32, i32, i32], returns: i32 },
  poll: { args: [ptr, u64, i32], returns: i32 },
  readlink: { args: [ptr, ptr, u64], returns: i64_fast },
});

/** For fcntl. */
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_DUPFD_CLOEXEC = 1030;
export const O_NONBLOCK = 0o4000;
