/** A final release, and a clause of what a requirement allows, with such a one or the beginning of one (PEP 440). */
const RELEASE = /^\d{1,9}(?:\.\d{1,9})*$/;
const CLAUSE = /^(===|[<>=!~]=|[<>])(\d{1,9}(?:\.\d{1,9})*)(\.\*)?$/;

/** Whether a final release is one that all clauses allow; false also for what is not as plain as that, but for a version by its own name. */
export function allowsInPython(versions: string, version: string): boolean {
  const clauses = versions.replaceAll(' ', '').split(',');
  if (clauses.length === 1 && /^={2,3}[^*]+$/.test(clauses[0]!) && clauses[0]!.replace(/^=+/, '') === version)
    return true;
  if (!RELEASE.test(version)) return false;
  const parts = partsOf(version);
  return clauses.every(clause => {
    const [, operator, release = '', any] = CLAUSE.exec(clause) ?? [];
    const wanted = partsOf(release);
    if (any && operator !== '==' && operator !== '!=') return false;
    const order = compare(parts, wanted);
    const begins = (most = wanted.length) => compare(parts.slice(0, most), wanted.slice(0, most)) === 0;
    switch (operator) {
      case '==':
        return any ? begins() : order === 0;
      case '!=':
        return any ? !begins() : order !== 0;
      case '<=':
        return order <= 0;
      case '>=':
        return order >= 0;
      case '<':
        return order < 0;
      case '>':
        return order > 0;
      case '~=':
        return wanted.length > 1 && order >= 0 && begins(wanted.length - 1);
      default:
        return release === version;
    }
  });
}

const partsOf = (release: string) => release.split('.').map(Number);

/** What one lacks at its end is zero. */
function compare(one: readonly number[], other: readonly number[]): number {
  for (let i = 0; i < Math.max(one.length, other.length); i++) {
    const difference = (one[i] ?? 0) - (other[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
