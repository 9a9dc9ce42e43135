/** A line of a cell that installs packages, as people write it for a notebook. */
export interface InstallLine {
  /** As the kernel will name it: all after `!` or `%`, with one space for many. */
  readonly command: string;
  /** What is to be installed: a list, or files that hold one; or what is wrong with the line, for its reader. */
  readonly wanted: { readonly packages: string[]; readonly files: string[] } | { readonly wrong: string };
  readonly quiet: boolean;
}

/** Lines of one cell that are looked at. */
const MAX_LINES = 20;
const LINE =
  /^[ \t]*(?:[A-Za-z_][\w.]*[ \t]*=[ \t]*)?(?:!!?|%)?[ \t]*((?:\S*python[\d.]*[ \t]+-m[ \t]+)?(?:uv[ \t]+)?pip[\d.]*[ \t]+install\b.*)$/;
/** As one, or {@link LINE} would try all ways to share them out among its places for some. */
const SPACES = /[ \t]+/g;
const WORD = /"([^"]*)"|'([^']*)'|(\S+)/g;
/** Change nothing about what an install is here: it is always anew, for the session alone, and asks nobody. */
const WITHOUT_MEANING =
  /^(?:-[qUy]+|-v+|--quiet|--verbose|--upgrade|--yes|--user|--no-input|--no-cache-dir|--system|--break-system-packages|--disable-pip-version-check|--no-warn-script-location|--root-user-action=\w+|--progress-bar=\w+|--prefer-binary|--only-binary=:all:)$/;
const FILE = /^(?:-r|--requirement)$/;

/** Lines that install packages with pip, in their order. Pure: nothing of a line is run or expanded. */
export function installsInCell(code: string): InstallLine[] {
  if (!code.includes('install')) return [];
  const lines = code.split('\n').map(line => line.replace(SPACES, ' '));
  const found = lines.flatMap(line => LINE.exec(line)?.[1]?.trim().replace(/\s+/g, ' ') ?? []);
  return [...new Set(found)].slice(0, MAX_LINES).map(read);
}

function read(command: string): InstallLine {
  const [, after = ''] = /\binstall\b(.*)$/.exec(command) ?? [];
  const words = [...after.matchAll(WORD)].map(([, double, single, plain]) => double ?? single ?? plain ?? '');
  const packages: string[] = [];
  const files: string[] = [];
  let quiet = false;
  const line = (wanted: InstallLine['wanted']) => ({ command, wanted, quiet });
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word.startsWith('#')) break;
    if (/^(?:-q+|--quiet)$/.test(word)) quiet = true;
    if (WITHOUT_MEANING.test(word)) continue;
    const [, file] = /^(?:-r|--requirement=)(.+)$/.exec(word) ?? [];
    if (file !== undefined || FILE.test(word)) files.push(file ?? words[++i] ?? '');
    else if (word.startsWith('-')) return line({ wrong: `${word} has no meaning here` });
    else if (/[{}$|&;<>`]/.test(word) && !/^[\w.[\],-]+[<>=!~]/.test(word))
      return line({ wrong: `${word}: names must be written out, and nothing else on their line` });
    else packages.push(word);
  }
  if (packages.length + files.length === 0) return line({ wrong: 'it names no package' });
  return line({ packages, files });
}
