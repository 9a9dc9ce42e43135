import type { Http } from './http.ts';
import type { FileEvent } from './wire.ts';
/** What becomes of a directory or file. Where a connection was lost, or is read too slowly, `overflow` says that something may be missed. */
export declare function watchFiles(http: Http, { patience, signal, ...params }: {
    sessionId: string;
    path: string;
    recursive: boolean;
    patience: number;
    signal?: AbortSignal | undefined;
}): Promise<AsyncGenerator<FileEvent, void>>;
