import type { Reason } from './registry/facts.ts';
import type { Work } from './registry/protocol.ts';
import type { Requirement } from './requirements.ts';

export interface Step {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Its failure is none of the install's. */
  readonly mayFail?: boolean;
}

/** How packages of one language are installed and found, as data that runs nothing. */
export interface Ecosystem {
  readonly name: 'python';
  /** The installer's name in answers. */
  readonly manager: string;
  /** Links that a sandbox gets, and to what below a layer. */
  readonly links: Readonly<Record<string, string>>;
  /** What programs find of a layer on their PATH. */
  readonly path: string;
  /** @throws {ServiceError} VALIDATION_ERROR naming the entry */
  parse(list: readonly string[], field: string): Requirement[];
  /** The installer, where it is not in every sandbox; null where there is none for this machine. */
  tool(arch: string): Extract<Work, { kind: 'tool' }> | null;
  /** What is run in the sandbox of an install, one after the other. `toolLayer`: the name of the installer's layer. */
  steps(parts: { toolLayer: string; gateway: string; list: readonly string[] }): Step[];
  /** The directory inside that becomes the layer. */
  readonly out: string;
  /** What the installer's words say about why it failed; null when they are about something else. */
  reasonOf(words: string): Reason | null;
}
