import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Location } from './inspector.ts';
import { type Position, SourceMap } from './source-map.ts';

const INLINE = /^data:application\/json;(?:charset=[^;,]*;)?base64,/;
/** Of a map, characters. */
const MAX_MAP = 32 * 1024 * 1024;

export interface Script {
  readonly id: string;
  readonly url: string;
  /** Null: its lines are those of its file. */
  readonly map: SourceMap | null;
}

/** As the protocol shows it. */
export interface ShownPlace extends Position {
  readonly source: {
    readonly name: string;
    readonly path?: string;
    readonly sourceReference?: number;
    readonly presentationHint?: 'deemphasize';
  };
}

/** The scripts that an engine has read, by the files that their text comes from. */
export class Scripts {
  readonly #byId = new Map<string, Script>();
  readonly #bySource = new Map<string, Script[]>();

  add({
    scriptId,
    url,
    sourceMapURL = '',
    isOwnSource = false,
  }: {
    scriptId: string;
    url: string;
    sourceMapURL?: string;
    /** Its map has one source, which is what the script is loaded from, whatever the map calls it. */
    isOwnSource?: boolean;
  }): Script {
    const script = { id: scriptId, url, map: mapOf(sourceMapURL, url, isOwnSource) };
    this.#byId.set(scriptId, script);
    for (const source of new Set(script.map?.sources ?? [url])) this.#addTo(source, script);
    return script;
  }

  /** What is evaluated has no address, and there may be any number of it. */
  #addTo(source: string, script: Script): void {
    if (source === '') return;
    const known = this.#bySource.get(source);
    if (known) known.push(script);
    else this.#bySource.set(source, [script]);
  }

  /** It is not what its file says, whose breakpoints it must not have. */
  forget({ id, url }: Script): void {
    this.#byId.delete(id);
    this.#bySource.set(
      url,
      (this.#bySource.get(url) ?? []).filter(script => script.id !== id),
    );
  }

  get(id: string): Script | undefined {
    return this.#byId.get(id);
  }

  /** The newest that has text of this file. */
  ofFile(path: string): Script | undefined {
    return this.#bySource.get(pathToFileURL(path).href)?.at(-1);
  }

  /** Where in its file something lies. */
  place({ scriptId, lineNumber: line, columnNumber: column = 0 }: Location): ShownPlace {
    const { url, map } = this.#byId.get(scriptId) ?? { url: '', map: null };
    const { source = url, ...position } = map?.original({ line, column }) ?? { line, column };
    const path = pathOf(source);
    if (path !== undefined) return { ...position, source: { name: path.split('/').at(-1)!, path } };
    const name = url || `script ${scriptId}`;
    return {
      ...position,
      source: { name, sourceReference: Number(scriptId), presentationHint: 'deemphasize' },
    };
  }
}

function mapOf(address: string, url: string, isOwnSource: boolean): SourceMap | null {
  const text = INLINE.test(address) && address.length < MAX_MAP ? address.replace(INLINE, '') : '';
  if (text === '') return null;
  try {
    return new SourceMap(Buffer.from(text, 'base64').toString(), url, isOwnSource ? [url] : undefined);
  } catch {
    return null;
  }
}

/** Undefined where it is no file's. */
function pathOf(url: string): string | undefined {
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}
