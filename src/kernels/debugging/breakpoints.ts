import { pathToFileURL } from 'node:url';
import type { AskedBreakpoint } from './asked-breakpoint.ts';
import { whenOf } from './condition.ts';
import { type Inspector, InspectorError, type Location } from './inspector.ts';
import type { Script, Scripts } from './scripts.ts';

export interface Breakpoint {
  readonly id: number;
  readonly asked: AskedBreakpoint;
  readonly path: string;
  /** Its engine's name for it, once it has one. */
  name: string | null;
  /** Where it lies in what its engine has read. */
  location: Location | null;
  /** It was placed by a map, and not by the lines of its file. */
  mapped: boolean;
  verified: boolean;
  line: number;
  column: number;
  message: string | null;
}

/** The breakpoints of a program, by the files they are set in: also in those that are not loaded yet. */
export class Breakpoints {
  readonly #inspector: Inspector;
  readonly #scripts: Scripts;
  readonly #onChange: (breakpoint: Breakpoint) => void;
  readonly #ofFile = new Map<string, Breakpoint[]>();
  #id = 0;

  /** `onChange`: one that was not found before, or elsewhere, has been. */
  constructor(inspector: Inspector, scripts: Scripts, onChange: (breakpoint: Breakpoint) => void) {
    this.#inspector = inspector;
    this.#scripts = scripts;
    this.#onChange = onChange;
  }

  /** Those of a file, in place of what it had. */
  async set(path: string, asked: readonly AskedBreakpoint[]): Promise<readonly Breakpoint[]> {
    const names = new Set(this.#ofFile.get(path)?.map(({ name }) => name));
    this.#ofFile.delete(path);
    for (const breakpointId of names)
      if (breakpointId) await this.#inspector.ask('Debugger.removeBreakpoint', { breakpointId });
    const breakpoints = asked.map(
      (each): Breakpoint => ({
        ...{ id: ++this.#id, asked: each, path, name: null, location: null, mapped: false },
        ...{ verified: false, line: each.line, column: each.column, message: null },
      }),
    );
    this.#ofFile.set(path, breakpoints);
    const script = this.#scripts.ofFile(path);
    for (const breakpoint of breakpoints) await this.#place(breakpoint, script);
    return breakpoints;
  }

  /** A script was read and has not begun, of whose lines nothing was known: what is set in its files is now placed. */
  async bind(script: Script): Promise<void> {
    const sources = script.map?.sources ?? [script.url];
    for (const [path, breakpoints] of this.#ofFile) {
      if (!sources.includes(pathToFileURL(path).href)) continue;
      for (const breakpoint of breakpoints) {
        if (breakpoint.mapped) continue;
        const { name: breakpointId } = breakpoint;
        if (breakpointId !== null) await this.#inspector.ask('Debugger.removeBreakpoint', { breakpointId });
        await this.#place(breakpoint, script);
        this.#onChange(breakpoint);
      }
    }
  }

  /** The engine has found one in a script that it has just read. */
  resolved(name: string, location: Location): void {
    const isMapped = Boolean(this.#scripts.get(location.scriptId)?.map);
    for (const breakpoint of this.#all()) {
      // What is placed by the wrong lines is placed anew before the script runs.
      if (breakpoint.name !== name || breakpoint.mapped !== isMapped) continue;
      if (this.#found(breakpoint, location)) this.#onChange(breakpoint);
    }
  }

  /** The ids of those that the engine has stopped at. */
  ids(names: readonly string[]): number[] {
    return this.#all()
      .filter(({ name }) => name !== null && names.includes(name))
      .map(({ id }) => id);
  }

  /** Those that lie exactly there. */
  at({ scriptId, lineNumber, columnNumber }: Location): Breakpoint[] {
    return this.#all().filter(
      ({ location }) =>
        location?.scriptId === scriptId &&
        location.lineNumber === lineNumber &&
        location.columnNumber === columnNumber,
    );
  }

  async #place(breakpoint: Breakpoint, script: Script | undefined): Promise<void> {
    const { path, asked } = breakpoint;
    breakpoint.mapped = Boolean(script?.map);
    breakpoint.name = null;
    breakpoint.location = null;
    const url = pathToFileURL(path).href;
    const at = script?.map ? script.map.generated(url, asked) : asked;
    if (!at) {
      breakpoint.message = 'There is no code here or below';
      return;
    }
    const where = { url: script?.url ?? url, lineNumber: at.line, columnNumber: at.column };
    try {
      const answer = await this.#inspector.setBreakpoint(where, whenOf(breakpoint.id, asked));
      breakpoint.name = answer.breakpointId;
      const loaded = this.#scripts.ofFile(path);
      // It has come meanwhile.
      if (breakpoint.name === null && loaded !== script) return await this.#place(breakpoint, loaded);
      const [first] = answer.locations.filter(({ scriptId }) => this.#scripts.get(scriptId));
      if (first) this.#found(breakpoint, first);
      else breakpoint.message = script ? 'There is no code here or below' : 'Not loaded yet';
    } catch (error) {
      if (!(error instanceof InspectorError)) throw error;
      breakpoint.message = error.message;
    }
  }

  #found(breakpoint: Breakpoint, location: Location): boolean {
    const { source, line, column } = this.#scripts.place(location);
    if (source.path !== breakpoint.path) return false;
    Object.assign(breakpoint, { verified: true, location, line, column, message: null });
    return true;
  }

  #all(): Breakpoint[] {
    return [...this.#ofFile.values()].flat();
  }
}
