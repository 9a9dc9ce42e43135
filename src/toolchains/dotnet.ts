import { monoDebugger } from './mono-debugger.ts';
import type { Toolchain } from './toolchain.ts';

/** The image's own commands stand for whichever toolchain is in it, the .NET SDK or Mono: docker/dotnet. */
export const dotnet: Toolchain = {
  name: 'dotnet',
  compile: (file, output, others) => [
    'compile-csharp',
    output,
    file,
    ...others.filter(other => /^[\w./-]+\.cs$/.test(other)),
  ],
  run: output => ['run-csharp', output],
  kernel: null,
  debugger: monoDebugger,
  version: ['dotnet', '--version'],
};
