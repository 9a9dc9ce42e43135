import type { LanguageInfo } from '../../src/schemas/language.ts';

/** A language as Judge0 numbers it, and what it is here. */
export interface Judge0Language {
  readonly id: number;
  readonly name: string;
  /** Asked of the service. */
  readonly language: string;
  /** What is run: a program of that language, a script of Bash, or the scripts of an archive. */
  readonly kind: 'program' | 'bash' | 'project';
  readonly source_file: string | null;
}

/** Those of Judge0 1.13.1 that are here. Its JavaScript is Node.js; Bash is started by a program of Python. */
const KNOWN = [
  { id: 46, label: 'Bash', language: 'python', kind: 'bash', source_file: 'script.sh' },
  { id: 51, language: 'csharp', kind: 'program', source_file: 'Program.cs' },
  { id: 60, language: 'go', kind: 'program', source_file: 'main.go' },
  { id: 63, language: 'javascript', runtime: 'NodeJs', kind: 'program', source_file: 'main.js' },
  { id: 71, language: 'python', kind: 'program', source_file: 'main.py' },
  { id: 74, language: 'typescript', kind: 'program', source_file: 'main.ts' },
  { id: 89, label: 'Multi-file program', language: 'python', kind: 'project', source_file: null },
] as const;

/** Those that can be run here and now. */
export function judge0Languages(languages: readonly LanguageInfo[]): Judge0Language[] {
  return KNOWN.flatMap(known => {
    const { id, kind, source_file, language } = known;
    const found = languages.find(({ name }) => name === language);
    const available = found?.runtimes.filter(runtime => runtime.available) ?? [];
    if (!found || available.length === 0) return [];
    if ('label' in known) return [{ id, name: known.label, language, kind, source_file }];
    const own = 'runtime' in known && available.find(({ runtimeType }) => runtimeType === known.runtime);
    if (own) {
      const name = `${found.displayName} (Node.js ${own.version})`;
      return [{ id, name, language: 'node', kind, source_file }];
    }
    const name = `${found.displayName} (${interpreterOf(found)}${found.version})`;
    return [{ id, name, language, kind, source_file }];
  });
}

/** The interpreter that a version is one of, and a space, where that is not the language itself. */
function interpreterOf({ name, version, runtimes }: LanguageInfo): string {
  if (name !== 'javascript' && name !== 'typescript') return '';
  const runs = runtimes.filter(runtime => runtime.available && runtime.version === version);
  return `${runs.map(({ runtimeType }) => runtimeType).find(type => type === 'Bun' || type === 'Deno') ?? 'Node.js'} `;
}
