import type { Http } from './http.ts';
/** Opens a WebSocket of the service. @throws {CodeBeakerError} UNREACHABLE, or the signal's reason */
export declare function openSocket({ url, key }: Http, path: string, signal?: AbortSignal): Promise<WebSocket>;
