import { CONTROL_FD, type ConfinedSetup } from '../../confined/protocol.ts';
import type { InstalledPackage, Layer } from '../layer.ts';
import type { Reason } from './facts.ts';
import type { Bounds } from './freeze.ts';
import type { Progress } from './gateway.ts';
import type { IndexSettings } from './index-settings.ts';

/**
 * Beside the lines of its control, standard input and output of the registry's process of one install carry the relay's frames
 * (src/wire/streams.ts), and this the installed tree (tree-reader.ts).
 */
export const TREE_FD = CONTROL_FD + 1;

/**
 * What a page of npm's says in place of a requirement that names a place: no version has this tag, and the installer's last words name it.
 */
export const ELSEWHERE = 'from-a-place-that-is-not-the-registry';

export type EcosystemName = 'python' | 'npm' | 'go';

/** Name of a file about an artifact, by its digest and by what it is: `pin`, as its ecosystem spells that. */
export const describedAs = (digest: string, pin: string) => `${digest} ${pin}`;

/** The second line to it, when there is an install that it is for; the first has what confines it. */
export interface RegistrySetup {
  /** Artifacts by digest, which installs share. An open directory of its own. */
  readonly cache: string;
  /** What the server knows of artifacts already, by {@link describedAs}. An open directory that nobody else writes. */
  readonly described: string;
  /** The socket of the process that keeps pages; null where there is none. */
  readonly pages: string | null;
  readonly index: IndexSettings;
  /** Names, as anybody may spell them. */
  readonly deny: readonly string[];
  readonly minAgeDays: number;
  readonly bounds: Bounds;
  readonly work: Work;
}

/** The socket's name in the directory that a process which keeps pages is started in. */
export const PAGES_SOCKET = 'socket';

export type Work =
  /** Serve the relay, then freeze what comes on {@link TREE_FD} into `tree`, below the directory it was started in. */
  | {
      readonly kind: 'install';
      readonly ecosystem: EcosystemName;
      /** Where the sandbox finds the gateway. */
      readonly address: string;
      /** Source archives are shown too. */
      readonly build: boolean;
    }
  /** Fetch one wheel and write a program of it to `tree/NAME`. */
  | {
      readonly kind: 'tool';
      readonly file: string;
      readonly project: string;
      readonly sha256: string;
      readonly program: string;
    };

/** What decides what installers are told of a page. */
export interface Telling {
  /** Where sandboxes find the gateway. */
  readonly address: string;
  /** As {@link RegistrySetup} has them. */
  readonly deny: readonly string[];
  readonly minAgeDays: number;
}

/** The first line to the process that keeps pages. */
export interface PagesSetup extends ConfinedSetup, Telling {
  readonly indexes: Readonly<Partial<Record<EcosystemName, IndexSettings>>>;
}

/** What an installer was given of a registry. */
export interface Asked {
  /** Names of the packages whose pages it has read. */
  readonly pages: readonly string[];
  /** Artifacts that are not in what it has made. */
  readonly unused: readonly string[];
  /** It was refused something, which it may have gone on without. */
  readonly failed: boolean;
  /** Such as what a registry did not send, and may send to who asks again. */
  readonly passing: boolean;
}

/** What is asked of it then, over and over, and what it says to that: where it says nothing, it hangs. */
export type PagesRequest =
  | { readonly op: 'answer' }
  /** What an installer would take of each of these, by its page alone. */
  | {
      readonly op: 'pick';
      readonly number: number;
      readonly ecosystem: EcosystemName;
      readonly list: readonly Wanted[];
    }
  /** Nobody waits for that pick any more. */
  | { readonly op: 'drop'; readonly number: number };
export type PagesEvent =
  | { readonly event: 'answer' }
  | { readonly event: 'picked'; readonly number: number; readonly versions: Picked };

/** Of each that was wanted, in order; null where that is not certain. */
export type Picked = readonly (string | null)[];

export type RegistryEvent =
  | { readonly event: 'progress'; readonly progress: Progress }
  | {
      readonly event: 'done';
      readonly id: string;
      readonly bytes: number;
      readonly installed: readonly InstalledPackage[];
      /** What the installer has had, where layers are found by what a list comes to and their files tell nothing of that. */
      readonly asked?: Asked | undefined;
      /** As {@link Layer} has them. */
      readonly places?: Readonly<Record<string, string>> | undefined;
    }
  /** Why the installer could not have what it asked for; null when nothing was refused. */
  | { readonly event: 'facts'; readonly failure: { reason: Reason; sentence: string } | null }
  | { readonly event: 'failed'; readonly reason: Reason | 'internal'; readonly sentence: string };

/** To it, when the installer has ended: `freeze` what comes next, or say `facts` of why not. */
export type RegistryRequest = { readonly op: 'freeze' | 'facts' };

/** A package, and what versions of it; empty for any. */
export interface Wanted {
  readonly name: string;
  readonly versions: string;
}
