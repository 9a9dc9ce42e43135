/** How many cells are known by the number that their reader sees; of older ones the interpreter keeps no lines either. */
const MOST_NAMES = 1000;

/** Names that an interpreter gives its cells, and those that notebooks give them. */
export class CellNames {
  /** Cells that this interpreter began. */
  #begun = 0;
  readonly #counts = new Map<number, number>();

  /** The next cell begins; null for what the door itself asks. */
  begin(count: number | null): void {
    const number = ++this.#begun;
    if (count !== null) this.#counts.set(number, count);
    this.#counts.delete(number - MOST_NAMES);
  }

  /** Another interpreter counts anew. */
  clear(): void {
    this.#begun = 0;
    this.#counts.clear();
  }

  /** A traceback that says `In[1]` as its notebook does. */
  rename(traceback: string): string {
    return traceback.replace(/(?:File ")?<cell (\d{1,9})>(")?/g, (name, number: string) => {
      const count = this.#counts.get(Number(number));
      if (count === undefined) return name;
      return name.startsWith('F') ? `Cell In[${count}]` : `In[${count}]`;
    });
  }
}

/** What the protocol calls lines: those that are indented, or of a place, belong to the one before. */
export function tracebackLines(traceback: string): string[] {
  let end = traceback.length;
  while (traceback[end - 1] === '\n') end--;
  return traceback.slice(0, end).split(/\n(?![ \n]|-+> )/);
}
