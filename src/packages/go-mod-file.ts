/** A path and a version, and what stands for them. */
const REPLACED = /^(?<path>\S+)(?: (?<version>v\S+))? => (?<by>\S+)(?: (?<byVersion>v\S+))?$/;
const REQUIRED = /^(?<path>\S+) (?<version>v\S+)$/;

/**
 * The modules that a go.mod requires, with what it puts in place of some; what it has from a directory is no module of an index.
 * Other lines mean nothing here (go.dev/ref/mod#go-mod-file).
 */
export function listInGoMod(text: string): string[] {
  const required = new Map<string, string>();
  // By a path, or by one with a version, which counts more; looked up, because a client's file may have a hundred thousand.
  const replaced = new Map<string, string[]>();
  for (const { verb, line } of statements(text)) {
    const { path, version } = (verb === 'require' && REQUIRED.exec(line)?.groups) || {};
    if (path !== undefined) required.set(path, version!);
    const replace = verb === 'replace' && REPLACED.exec(line)?.groups;
    if (!replace) continue;
    const { by, byVersion } = replace;
    replaced.set(
      named(replace.path!, replace.version),
      byVersion === undefined ? [] : [named(by!, byVersion)],
    );
  }
  return [...required].flatMap(
    ([path, version]) => replaced.get(named(path, version)) ?? replaced.get(path) ?? [named(path, version)],
  );
}

function named(path: string, version: string | undefined): string {
  return version === undefined ? path : `${path}@${version}`;
}

/** Lines with what they are of, without comments; of blocks in parentheses, each. */
function* statements(text: string): Generator<{ verb: string; line: string }> {
  let block: string | null = null;
  for (const each of text.split('\n')) {
    const words = each
      .replace(/\/\/.*$/s, '')
      .split(/\s+/)
      .filter(Boolean)
      .map(unquoted);
    if (words.length === 0) continue;
    if (block !== null && words[0] === ')') block = null;
    else if (block !== null) yield { verb: block, line: words.join(' ') };
    else if (words[1] === '(') block = words[0]!;
    else yield { verb: words[0]!, line: words.slice(1).join(' ') };
  }
}

function unquoted(word: string): string {
  return word.replace(/^(["`])(.*)\1$/, '$2');
}
