/** The part of Bun's foreign function interface that the launcher and Bun's kernels use (https://bun.sh/docs/api/ffi). */
declare module 'bun:ffi' {
  export const FFIType: {
    readonly i16: number;
    readonly i32: number;
    readonly u32: number;
    readonly u64: number;
    readonly i64_fast: number;
    readonly ptr: number;
  };
  type Argument = number | bigint | ArrayBufferView | null;
  export function dlopen<S extends Record<string, { args: readonly number[]; returns: number }>>(
    name: string,
    symbols: S,
  ): { symbols: { [K in keyof S]: (...args: Argument[]) => number } };
  export function ptr(view: ArrayBufferView): number;
  export const read: { i32(pointer: number, offset: number): number };
}

declare module 'bun:jsc' {
  export function setRandomSeed(seed: number): void;
}
