import type { Http } from './http.ts';
/** How far a file has come. */
export interface FileProgress {
    /** Of the file. Where a connection was lost, it may be less than before. */
    readonly bytes: number;
    readonly totalBytes: number;
}
export interface TransferOptions {
    /** Told as it goes on. */
    onProgress?: ((progress: FileProgress) => void) | undefined;
    /** Ends it: an upload then changes nothing. */
    signal?: AbortSignal | undefined;
}
/** Which file, and whose. */
interface Place {
    readonly sessionId: string;
    readonly path: string;
    /** For how long in vain a lost connection is made again, milliseconds. */
    readonly patience: number;
}
/**
 * Sends a file, which changes when all of it is there. Over a connection that is made again it goes on behind the last byte that was
 * taken.
 */
export declare function upload(http: Http, { patience, ...place }: Place, { data, mode, onProgress, signal }: TransferOptions & {
    data: Blob;
    mode?: number | undefined;
}): Promise<void>;
/**
 * A file, or a part of it, piece by piece. Over a connection that is made again it goes on behind the last piece.
 * @throws {CodeBeakerError} CONFLICT where it has changed meanwhile
 */
export declare function download(http: Http, { patience, ...place }: Place, { offset, length, onProgress, signal }: TransferOptions & {
    offset?: number;
    length?: number;
}): AsyncGenerator<Uint8Array, void>;
export {};
