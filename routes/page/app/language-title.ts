import type { LanguageInfo } from 'codebeaker/client';

/** A language and its version, such as `Python 3.11.2`; of JavaScript and TypeScript, whose version is their interpreter's, with that one's name. */
export function titleOf({ name, displayName, version, runtimes }: LanguageInfo): string {
  if (version === null) return displayName;
  if (name !== 'javascript' && name !== 'typescript') return `${displayName} ${version}`;
  const found = runtimes.find(runtime => runtime.available && runtime.version === version);
  const runtime = found?.runtimeType;
  return `${displayName} (${runtime === 'Bun' || runtime === 'Deno' ? runtime : 'Node.js'} ${version})`;
}
