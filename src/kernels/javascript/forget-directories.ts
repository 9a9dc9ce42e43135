const NAME = 'nothing-of-this-name';

/**
 * Bun remembers directories that it has looked into, also that there was none. A file that is asked for by its whole path and is not
 * there has it forget the directory; and a name that is asked for then has it find the root's anew, without which names with a scope
 * would not be found (Bun 1.4).
 */
export function forgetDirectories(load: (path: string) => unknown): void {
  forgetRoot(load);
  const { readdirSync } = process.getBuiltinModule('node:fs');
  const list = (path: string) => {
    try {
      return readdirSync(path).map(name => `${path}/${name}`);
    } catch {
      return [];
    }
  };
  const packages = list('/node_modules');
  const scoped = packages.filter(path => path.startsWith('/node_modules/@')).flatMap(list);
  lookFor(load, [...[...packages, ...scoped].map(directory => `${directory}/${NAME}`), NAME]);
}

/** The same of a Bun that found no packages so far, and so has looked into none. */
export function forgetRoot(load: (path: string) => unknown): void {
  lookFor(load, [`/${NAME}`, `/node_modules/${NAME}`, NAME]);
}

function lookFor(load: (path: string) => unknown, missing: readonly string[]): void {
  for (const path of missing) {
    try {
      load(path);
    } catch {
      // That was to be expected.
    }
  }
}
