import { dotnet } from '../toolchains/dotnet.ts';
import type { Language } from './language.ts';

export const csharp: Language = {
  name: 'csharp',
  displayName: 'C#',
  aliases: ['c#', 'cs', 'dotnet'],
  dockerImage: 'codebeaker-dotnet:latest',
  fileName: 'Program.cs',
  toolchains: [dotnet],
};
