import { CodeBeakerError } from './codebeaker-error.js';
import { followRun } from './event-stream.js';
import { portEvents } from './port-events.js';
import { Run, resultOf, untilLeft } from './run.js';
import { sessionEvents } from './session-events.js';
import { download, upload } from './transfer.js';
import { watchFiles } from './watch.js';
/** Seconds of a program that is waited for, as the service has it. */
const SHELL_SECONDS = 60;
/** Files and interpreters that remain from call to call, in a sandbox of their own, until it is closed or times out. */
export class Session {
    id;
    #http;
    #feeds;
    #patience;
    #path;
    /** @param patience for how long a connection is tried to be made, milliseconds */
    constructor(id, { http, feeds, patience }) {
        this.id = id;
        this.#http = http;
        this.#feeds = feeds;
        this.#patience = patience;
        this.#path = `/api/session/${encodeURIComponent(id)}`;
    }
    /** Runs a cell: what it defines stays. One that fails is a result too, with its exception in `error`. */
    async run(code, options = {}) {
        return resultOf(await this.#start({ type: 'execute_code', code, ...options }, false), options.signal);
    }
    /** Runs a cell and gives what it tells, as it comes. Leaving the loop ends it. */
    async *stream(code, options = {}) {
        yield* untilLeft(await this.start(code, options));
    }
    /** Starts a cell. */
    start(code, options = {}) {
        return this.#start({ type: 'execute_code', code, ...options }, true);
    }
    /** Runs a program with its arguments, without a shell in between; use `shell('sh', ['-c', …])` for one. */
    async shell(commandName, args = [], options = {}) {
        const command = { type: 'execute_shell', commandName, args, timeout: SHELL_SECONDS, ...options };
        return resultOf(await this.#start(command, false), options.signal);
    }
    /** Starts a program, which goes on by itself. */
    spawn(commandName, args = [], options = {}) {
        return this.#start({ type: 'execute_shell', commandName, args, ...options }, true);
    }
    /** Starts a program in a terminal: `input()` types, and what it shows comes as output on stdout. */
    terminal(commandName = 'sh', args = [], { cols = 80, rows = 24, ...options } = {}) {
        return this.spawn(commandName, args, { ...options, pty: { cols, rows } });
    }
    /** A cell or program of this session that was started before, also by another client, as far as what it told is kept. */
    follow(executionId) {
        const following = { executionId, sessionId: this.id, isRead: true, patience: this.#patience };
        return this.#run(executionId, { inbox: followRun(this.#http, following) });
    }
    /**
     * Writes a file, and its parent directories; it is replaced whole or not at all. One of any size comes as a blob or a stream; not
     * every browser sends a stream. `mode` are its permissions, such as 0o755.
     */
    async write(path, data, { mode } = {}) {
        const body = typeof data === 'string' ? new TextEncoder().encode(data) : data;
        const headers = {
            'content-type': 'application/octet-stream',
            ...(mode !== undefined && { 'x-file-mode': mode.toString(8) }),
        };
        await this.#http.ask('PUT', this.#file(path), { body, headers });
    }
    /** Unpacks a tar archive into a directory. What came before what is refused stays. */
    async unpack(path, archive) {
        const headers = { 'content-type': 'application/x-tar' };
        await this.#http.ask('PUT', this.#file(path), { body: archive, headers });
    }
    /** All of a file. */
    async read(path) {
        const bytes = await this.#http.whole('GET', this.#file(path), response => response.arrayBuffer());
        return new Uint8Array(bytes);
    }
    /** All of a file, as UTF-8. */
    async readText(path) {
        return this.#http.whole('GET', this.#file(path), response => response.text());
    }
    /** A file of any size, piece by piece; of a directory a tar archive. */
    async readStream(path) {
        return (await this.#http.ask('GET', this.#file(path))).body;
    }
    /**
     * Writes a file of any size, whole or not at all. A connection that is lost is made again, and goes on behind the last byte that was
     * taken. A file of a disk comes as a blob: `openAsBlob` of Node.js, `Bun.file`, what an `<input type="file">` has.
     */
    async upload(path, data, { mode, ...options } = {}) {
        const blob = data instanceof Blob ? data : new Blob([data]);
        await upload(this.#http, this.#at(path), { ...options, data: blob, mode });
    }
    /**
     * A file of any size, or a part of it, piece by piece, at the pace of who reads. A connection that is lost is made again, and goes on
     * behind the last piece. @throws {CodeBeakerError} CONFLICT where the file has changed meanwhile
     */
    download(path, options = {}) {
        return download(this.#http, this.#at(path), options);
    }
    /**
     * What becomes of a directory or file, until the loop is left, or what is watched or the session has ended. Resolves when it is
     * watched; what can't be told, because the reader is slow or a connection was lost, is an `overflow`.
     */
    watch(path = '.', { recursive = false, signal } = {}) {
        return watchFiles(this.#http, { ...this.#at(path), recursive, signal });
    }
    /** What listens on TCP in it now. */
    async ports() {
        const params = { sessionId: this.id };
        return (await this.#http.call('session.ports', params)).ports;
    }
    /** What listens in it, and then what comes and goes, until the loop is left or the session has ended. */
    portEvents({ signal } = {}) {
        return portEvents(this.#http, { sessionId: this.id, patience: this.#patience, signal });
    }
    /**
     * Gives a port an address, `url`. Who asks there needs the `token` as header `X-CodeBeaker-Port-Token`, unless it is `public`. It
     * ends after `ttlSeconds`, or with the session.
     */
    expose(port, options = {}) {
        return this.#http.call('session.expose', { sessionId: this.id, port, ...options });
    }
    /** Takes a port's address away, and ends what is open there. */
    async unexpose(port) {
        await this.#http.call('session.unexpose', { sessionId: this.id, port });
    }
    async list(path = '.', options = {}) {
        return (await this.execute({ type: 'list_directory', path, ...options })).entries;
    }
    /** What installs packages for all that starts afterwards. @throws {CodeBeakerError} COMMAND_FAILED with why in `reason` */
    install(packages, options = {}) {
        return this.execute({ type: 'install_packages', packages, ...options });
    }
    /**
     * Any command of a session and its result, such as `stat`, `copy_file` or `diff`.
     * @throws {CodeBeakerError} COMMAND_FAILED where it could not do its work
     */
    async execute(command) {
        const path = `${this.#path}/execute`;
        const { success, result, error } = await this.#http.json('POST', path, { body: { command } });
        if (!success)
            throw new CodeBeakerError('COMMAND_FAILED', error, result ?? {});
        return result;
    }
    /**
     * What its commands have told, from what is kept behind the event `after`; with `follow` also what they tell from now on, until it
     * has ended or the loop is left.
     */
    async *events({ after = 0, follow = false, } = {}) {
        yield* sessionEvents(this.#http, { sessionId: this.id, after, follow, patience: this.#patience });
    }
    info() {
        return this.#http.json('GET', this.#path);
    }
    /** Ends it and all that runs in it; one that has ended stays so. */
    async close() {
        try {
            await this.#http.ask('DELETE', this.#path);
        }
        catch (error) {
            if (!(error instanceof CodeBeakerError) || error.code !== 'SESSION_NOT_FOUND')
                throw error;
        }
        this.#feeds.forget(this.id);
    }
    [Symbol.asyncDispose]() {
        return this.close();
    }
    async #start({ interactive = false, signal, ...command }, isRead) {
        signal?.throwIfAborted();
        const { executionId, inbox } = await this.#feeds.start(this.id, command, { interactive, isRead });
        return this.#run(executionId, { inbox, signal });
    }
    #run(executionId, parts) {
        const call = (method, params) => this.#feeds.call(method, params);
        return new Run(executionId, { ...parts, http: this.#http, call, patience: this.#patience });
    }
    #at(path) {
        return { sessionId: this.id, path, patience: this.#patience };
    }
    #file(path) {
        const parts = path.split('/').filter(part => part !== '.');
        // In a URL these would lead to something else of the service, however they are written.
        if (parts.includes('..'))
            throw new CodeBeakerError('VALIDATION_ERROR', "path: has a part '..'");
        return `${this.#path}/files/${parts.map(encodeURIComponent).join('/')}`;
    }
}
