import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the page loads, by its path below `/page/`. Nothing else of this machine has a path there. */
export interface PageFile {
  readonly type: string;
  /** Documents of other origins may load it too. */
  readonly isShared?: boolean;
  read(): Promise<{ readonly content: Buffer; readonly etag: string }>;
}

const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';
const HERE = import.meta.dirname;
const CLIENT = join(HERE, '../../src/client/built');
const ofPackage = (name: string) => fileURLToPath(import.meta.resolve(name));

/** The page's own modules and our client's, as `npm run contracts` has written them, and what comes from packages. */
export function pageFiles(): ReadonlyMap<string, PageFile> {
  return new Map([
    ...['page.css', 'controls.css', 'editor.css', 'results.css'].map(
      name => [name, file(join(HERE, name), STYLE)] as const,
    ),
    // The frames that show what programs display have no origin.
    ['result.css', { ...file(join(HERE, 'result.css'), STYLE), isShared: true }],
    ['icon.svg', file(join(HERE, 'icon.svg'), 'image/svg+xml')],
    ...modules('app', join(HERE, 'built')),
    ...modules('client', CLIENT),
    ['xterm.js', file(ofPackage('@xterm/xterm/lib/xterm.mjs'), SCRIPT)],
    ['xterm-fit.js', file(ofPackage('@xterm/addon-fit/lib/addon-fit.mjs'), SCRIPT)],
    ['xterm.css', file(ofPackage('@xterm/xterm/css/xterm.css'), STYLE)],
    ['highlight.js', file(ofPackage('@highlightjs/cdn-assets/es/highlight.min.js'), SCRIPT)],
  ]);
}

function modules(path: string, folder: string): [string, PageFile][] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.js'))
    .map(name => [`${path}/${name}`, file(join(folder, name), SCRIPT)]);
}

/** A file that is read when it is first asked for, and held from then on. */
export function file(path: string, type: string): PageFile {
  let held: ReturnType<PageFile['read']> | undefined;
  const read = async () => {
    const content = await readFile(path);
    return { content, etag: `"${createHash('sha256').update(content).digest('base64url')}"` };
  };
  return {
    type,
    read() {
      held ??= read();
      // One that could not be read, because there were too many open files, is tried again.
      held.catch(() => {
        held = undefined;
      });
      return held;
    },
  };
}
