import type { Language } from './language.ts';

/** The image's own commands stand for whichever toolchain is in it: docker/dotnet. */
export const csharp: Language = {
  name: 'csharp',
  displayName: 'C#',
  aliases: ['c#', 'cs', 'dotnet'],
  dockerImage: 'codebeaker-dotnet:latest',
  fileName: 'Program.cs',
  runtimes: {
    Docker: {
      compile: (file, output, others) => [
        'compile-csharp',
        output,
        file,
        ...others.filter(other => /^[\w./-]+\.cs$/.test(other)),
      ],
      run: output => ['run-csharp', output],
      kernel: null,
      version: ['dotnet', '--version'],
    },
  },
};
