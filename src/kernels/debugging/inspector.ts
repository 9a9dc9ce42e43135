/** What an inspector says of a value (Chrome's DevTools Protocol, Runtime.RemoteObject), as far as it is used here. */
export interface RemoteObject {
  readonly type: string;
  readonly subtype?: string;
  readonly value?: unknown;
  readonly unserializableValue?: string;
  readonly description?: string;
  readonly objectId?: string;
}

/** Lines and columns count from 0. */
export interface Location {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber?: number;
}

export interface Scope {
  readonly type: string;
  readonly object: RemoteObject;
  readonly name?: string;
}

export interface CallFrame {
  readonly callFrameId: string;
  readonly functionName: string;
  readonly location: Location;
  readonly scopeChain: readonly Scope[];
  readonly this: RemoteObject;
}

/** When a breakpoint stops, as expressions that the program's own engine evaluates. */
export interface When {
  /** Undefined: always. */
  readonly condition: string | undefined;
  /** A text that is told in place of stopping. */
  readonly log: string | undefined;
}

/** Of a script, by its URL. */
export interface Place {
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

export interface SetBreakpoint {
  /** Null: the script is not loaded yet, before it begins there is a pause whose reason is `loaded`, and then it can be set. */
  readonly breakpointId: string | null;
  /** None where the script is not loaded yet. */
  readonly locations: readonly Location[];
}

/** The program refused, or has gone; the message is its engine's. */
export class InspectorError extends Error {
  override readonly name = 'InspectorError';
}

// biome-ignore lint/suspicious/noExplicitAny: whatever an engine answers; it is of one version, and what it says stays in the sandbox
export type Answer = any;

/** Events are told in order; what a breakpoint logs as `Logged { text }`. */
export type OnEvent = (method: string, params: Answer) => void;

/** A connection to the inspector of a program, whatever its engine, in the words of V8's (Chrome's DevTools Protocol). */
export interface Inspector {
  /** @throws {InspectorError} */
  ask(method: string, params?: object): Promise<Answer>;
  /** @throws {InspectorError} */
  setBreakpoint(place: Place, when: When): Promise<SetBreakpoint>;
  /** Whether a breakpoint would stop in this frame; logs what it would. */
  holds(frame: CallFrame, when: When): Promise<boolean>;
  /** Until then a program that has ended waits. */
  close(): void;
}
