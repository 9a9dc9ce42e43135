import type { Http } from './http.ts';
/** What the service says of a transfer that goes on. */
export interface Ready {
    readonly op: 'ready';
    readonly transfer: number;
    readonly offset: number;
    /** Of a download: of the whole file. */
    readonly size: number;
    /** Of a download: another one whenever the file has changed. */
    readonly version: string;
}
/** One file on its way over a connection of its own to /ws/data (openapi/protocol.md). It holds no more than a window of it. */
export declare class DataLink {
    #private;
    private constructor();
    /** @throws {CodeBeakerError} UNREACHABLE, or the signal's reason */
    static open(http: Http, signal?: AbortSignal): Promise<DataLink>;
    /** Asks for a transfer. @throws {CodeBeakerError} why there is none */
    begin(asked: object): Promise<Ready>;
    /** Sends as much of some bytes as it may, when it may, and resolves to how many these were. */
    send(offset: number, bytes: Blob): Promise<number>;
    /** Resolves when all of it has been written. */
    done(): Promise<void>;
    /** What comes, up to its end. */
    pieces(): AsyncGenerator<Uint8Array, void>;
    close(): void;
}
