/**
 * The client of this service for programs in JavaScript and TypeScript, on Node.js, Bun, Deno and in browsers. It imports nothing but what the platform has
 * (fetch, WebSocket), and nothing of the server: types are written from its schemas into wire.ts. `built/` has it as JavaScript.
 */
export { type ClientOptions, CodeBeaker, type StartOptions } from './client.ts';
export { CodeBeakerError } from './codebeaker-error.ts';
export type { EventsLost, RunEvent } from './inbox.ts';
export type { PortEvent } from './port-events.ts';
export { bytesOf, type Run } from './run.ts';
export type { CellOptions, FileData, ProgramOptions, Session } from './session.ts';
export type { FileProgress, TransferOptions } from './transfer.ts';
export type * from './wire.ts';
