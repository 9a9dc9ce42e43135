/**
 * Bun remembers directories that it has looked into, also that there was none. A file that is asked for by its whole path and is not
 * there has it forget the directory; and a name that is asked for then has it find the root's anew, without which names with a scope
 * would not be found (Bun 1.4).
 */
export function forgetDirectories(load: (path: string) => unknown): void {
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
  const name = 'nothing-of-this-name';
  const places = ['', '/node_modules', ...packages, ...scoped].map(directory => `${directory}/${name}`);
  for (const missing of [...places.slice(0, 2), name, ...places.slice(2), name]) {
    try {
      load(missing);
    } catch {
      // That was to be expected.
    }
  }
}
