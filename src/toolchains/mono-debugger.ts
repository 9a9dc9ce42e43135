import { VERSION } from '../version.ts';
import type { DebuggerSpec } from './debugger.ts';

/**
 * C#'s debugger: our own adapter, which lies in the image and speaks to the soft debugger of Mono there (docker/dotnet/mono/debugger).
 * It compiles what it debugs itself, with symbols.
 */
export const monoDebugger: DebuggerSpec = {
  name: 'codebeaker-mono',
  version: VERSION,
  wheel: null,
  argv: () => ['debug-csharp'],
  environment: {},
  ownArguments: [],
  fixedArguments: {},
  ownEvents: [],
  unanswered: {},
  remedy: 'npm run images; an image with the .NET SDK has none',
};
