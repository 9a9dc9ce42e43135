/**
 * The client of this service for programs in JavaScript and TypeScript, on Node.js, Bun, Deno and in browsers. It imports nothing but what the platform has
 * (fetch, WebSocket), and nothing of the server: types are written from its schemas into wire.ts. `built/` has it as JavaScript.
 */
export { CodeBeaker } from './client.js';
export { CodeBeakerError } from './codebeaker-error.js';
export { bytesOf } from './run.js';
