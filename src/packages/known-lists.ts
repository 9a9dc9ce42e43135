import type { Ecosystem } from './ecosystem.ts';
import type { Layer } from './layer.ts';
import type { Requirement } from './requirements.ts';

/** Lists that are remembered. */
const MOST_LISTS = 500;
const ANY: readonly string[] = ['', '*', 'latest'];

interface Known {
  /** Of what is asked for, whichever versions, and where. */
  readonly signature: string;
  readonly list: readonly Requirement[];
}

/**
 * Lists that a layer was found or made for, to answer others that name the same packages in other words: what a list came to is what a
 * stricter one comes to, as long as it allows these versions. Nothing of it outlives the server, nor makes a resolution younger.
 */
export class KnownLists {
  readonly #known = new Map<string, Known>();

  /** `keyOf`: as a list is asked for where its packages are to be. */
  note(key: string, list: readonly Requirement[], keyOf: (list: readonly string[]) => string): void {
    const signature = signatureOf(list, keyOf);
    this.#known.delete(key);
    if (signature === null) return;
    this.#known.set(key, { signature, list });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST_LISTS) return;
      this.#known.delete(oldest);
    }
  }

  /** Those that ask for some of what this one does, in the same words; the newest first. */
  within(
    list: readonly Requirement[],
    keyOf: (list: readonly string[]) => string,
  ): { key: string; list: readonly Requirement[] }[] {
    const texts = new Set(list.map(({ text }) => text));
    return [...this.#known]
      .map(([key, known]) => ({ key, list: known.list }))
      .filter(known => known.list.length < texts.size && known.list.every(({ text }) => texts.has(text)))
      .filter(known => keyOf(known.list.map(({ text }) => text)) === known.key)
      .reverse();
  }

  /** Those that ask for no less than this one does, each with its key; the newest first. */
  looser(
    list: readonly Requirement[],
    keyOf: (list: readonly string[]) => string,
  ): { key: string; list: readonly Requirement[] }[] {
    const words = new Set(list.map(wordsOf));
    return this.alike(list, keyOf).filter(known =>
      known.list.every(each => isAny(each) || words.has(wordsOf(each))),
    );
  }

  /** Those that name the same packages, whichever versions of them, each with its key; the newest first. */
  alike(
    list: readonly Requirement[],
    keyOf: (list: readonly string[]) => string,
  ): { key: string; list: readonly Requirement[] }[] {
    const signature = signatureOf(list, keyOf);
    if (signature === null) return [];
    return [...this.#known]
      .filter(([, known]) => known.signature === signature)
      .map(([key, known]) => ({ key, list: known.list }))
      .reverse();
  }
}

/** Whether what a layer holds is what each requirement allows, as far as that is certain. */
export function allowsAll(
  list: readonly Requirement[],
  { installed }: Layer,
  { spelled, allows }: Ecosystem,
): boolean {
  return list.every(({ name, versions }) => {
    // Of two of one name, it is not told here which one programs find.
    const [found, ...others] = installed.filter(each => spelled(each.name) === name);
    const isFound = found !== undefined && others.length === 0;
    return isFound && (ANY.includes(versions) || allows(versions, found.version));
  });
}

/** Whether others than a layer's own install know of it that it holds what each requirement names, in the version that it tells. */
export function isSureOf(
  list: readonly Requirement[],
  { installed, sure }: Layer,
  { spelled }: Ecosystem,
): boolean {
  const known = new Map(Object.entries(sure ?? {}));
  return list.every(({ name }) =>
    installed.some(each => spelled(each.name) === name && each.version === known.get(name)),
  );
}

const isAny = ({ versions }: Requirement) => ANY.includes(versions);

const wordsOf = (each: Requirement) => `${bareOf(each)} ${each.versions.replaceAll(' ', '')}`;

/** Without what it says of versions; null for what holds in some places only, and for what the service's own lists say besides. */
function bareOf({ text, name }: Requirement): string | null {
  if (/;| --/.test(text)) return null;
  const [extras = ''] = /\[[^\]]*\]/.exec(text) ?? [];
  return `${name}${extras.replaceAll(' ', '').toLowerCase()}`;
}

function signatureOf(
  list: readonly Requirement[],
  keyOf: (list: readonly string[]) => string,
): string | null {
  const bare = list.map(bareOf);
  return bare.includes(null) ? null : keyOf(bare as string[]);
}
