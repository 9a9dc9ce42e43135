/** apply_patch: Applies a patch of diff -u, GNU diff or git: all of it or nothing */
export interface ApplyPatchCommand {
    /** The command */
    type: 'apply_patch';
    /** Echoed in the answer */
    id?: string;
    /** As diff -u, GNU diff, git diff or the command diff writes it */
    patch: string;
    /** Where the names of the patch begin, or the one file it is for; default: . */
    targetPath?: string;
    /** Directories left out of each name; default: 1 */
    strip?: number;
    /** Answer as if, and change nothing; default: false */
    dryRun?: boolean;
    /** Undoes the patch; default: false */
    reverse?: boolean;
}
/** The answer to apply_patch */
export interface ApplyPatchReply {
    /** The command it answers; an older name is answered as this */
    type: 'apply_patch';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: ApplyPatchResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of apply_patch */
export interface ApplyPatchResult {
    /** False for a dry run */
    applied: boolean;
    /** In the order of the patch */
    files: ({
        /** After a rename the new one */
        path: string;
        /** What became of it */
        action: 'created' | 'modified' | 'deleted' | 'renamed';
        /** Lines */
        added: number;
        /** Lines */
        removed: number;
        /** Lines by which a hunk lies below where the patch has it (negative: above); the farthest */
        offset: number;
        /** Lines of context that had to be left out, at most 2 */
        fuzz: number;
    })[];
}
/** With background: true; execution.status and execution.cancel take the executionId */
export interface BackgroundResult {
    /** The command's id, or ours */
    commandId: string;
    /** execution.status and execution.cancel take it, and GET and DELETE /api/execution/{id} */
    executionId: string;
}
/** The uncaught exception that ended a cell */
export interface CellError {
    /** Its class, such as NameError */
    name: string;
    /** Its own words */
    message: string;
    /** As the interpreter prints it, with the cell's line numbers */
    traceback: string;
}
/** What a cell came to */
export interface CellResult {
    /** null when a signal ended it */
    exitCode: number | null;
    /** What it printed, up to the server's CODEBEAKER_MAX_OUTPUT_BYTES */
    stdout: string;
    /** The same of standard error */
    stderr: string;
    /** stdout and stderr are base64, as the request asked */
    stdoutEncoding?: 'base64';
    /** Bytes of stdout or stderr were not UTF-8 and became U+FFFD; stdoutEncoding keeps them */
    encodingErrors?: true;
    /** How the program ended; a limit is the outcome only where it made the program fail */
    outcome: 'ok' | 'nonzero_exit' | 'signalled' | 'wall_timeout' | 'cpu_timeout' | 'memory_limit' | 'output_limit' | 'process_limit' | 'disk_limit' | 'compile_error' | 'install_error' | 'cancelled' | 'sandbox_lost';
    /** Rich results, in order; the last is the value */
    results: (MimeBundle)[];
    /** The uncaught exception that ended a cell */
    error: CellError | null;
    /** Counts the cells of the context */
    executionCount: number;
    /** Wall time, milliseconds */
    durationMs: number;
    usage: Usage;
}
/** The answer to one command of a session; its type tells which */
export type CommandResult = ExecuteCodeReply | RestartContextReply | InstallPackagesReply | WriteFileReply | ReadFileReply | ExecuteShellReply | CreateDirectoryReply | CopyFileReply | MoveFileReply | DeleteFileReply | ListDirectoryReply | StatReply | DiffReply | ApplyPatchReply;
/** How the compiling of a program ended */
export interface CompileResult {
    /** Of the compiler; null when a signal or a limit ended it */
    exitCode: number | null;
    /** What the compiler printed */
    stdout: string;
    /** Its complaints */
    stderr: string;
    /** stdout and stderr are base64, as the request asked */
    stdoutEncoding?: 'base64';
    /** Bytes of stdout or stderr were not UTF-8 and became U+FFFD; stdoutEncoding keeps them */
    encodingErrors?: true;
    /** How the program ended; a limit is the outcome only where it made the program fail */
    outcome: 'ok' | 'nonzero_exit' | 'signalled' | 'wall_timeout' | 'cpu_timeout' | 'memory_limit' | 'output_limit' | 'process_limit' | 'disk_limit' | 'compile_error' | 'install_error' | 'cancelled' | 'sandbox_lost';
    /** Wall time, milliseconds */
    durationMs: number;
}
/** copy_file: Copies a file */
export interface CopyFileCommand {
    /** The command */
    type: 'copy_file';
    /** Echoed in the answer */
    id?: string;
    /** Below /workspace, or relative to it. A byte of a name that is no UTF-8 is written as \x and two lowercase hexadecimal digits, such as caf\xe9.txt, as listings show it; a backslash that would be read so is \x5c */
    sourcePath: string;
    /** Below /workspace, or relative to it. A byte of a name that is no UTF-8 is written as \x and two lowercase hexadecimal digits, such as caf\xe9.txt, as listings show it; a backslash that would be read so is \x5c */
    destinationPath: string;
    /** false: fails where something has that name; default: true */
    overwrite?: boolean;
}
/** The answer to copy_file */
export interface CopyFileReply {
    /** The command it answers; an older name is answered as this */
    type: 'copy_file';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: CopyFileResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of copy_file */
export interface CopyFileResult {
    /** Absolute, below /workspace */
    sourcePath: string;
    /** Absolute, below /workspace */
    destinationPath: string;
    /** Size of the file */
    bytes: number;
}
/** create_directory: Makes a directory and, unless told otherwise, its parents */
export interface CreateDirectoryCommand {
    /** The command */
    type: 'create_directory';
    /** Echoed in the answer */
    id?: string;
    /** Below /workspace, or relative to it. A byte of a name that is no UTF-8 is written as \x and two lowercase hexadecimal digits, such as caf\xe9.txt, as listings show it; a backslash that would be read so is \x5c */
    path: string;
    /** Makes its parents too; default: true */
    recursive?: boolean;
}
/** The answer to create_directory */
export interface CreateDirectoryReply {
    /** The command it answers; an older name is answered as this */
    type: 'create_directory';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: CreateDirectoryResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of create_directory */
export interface CreateDirectoryResult {
    /** Absolute, below /workspace */
    path: string;
    /** false: it was there already */
    created: boolean;
}
/** delete_file: Deletes a file, or with recursive a directory */
export interface DeleteFileCommand {
    /** The command */
    type: 'delete_file';
    /** Echoed in the answer */
    id?: string;
    /** Below /workspace, or relative to it. A byte of a name that is no UTF-8 is written as \x and two lowercase hexadecimal digits, such as caf\xe9.txt, as listings show it; a backslash that would be read so is \x5c */
    path: string;
    /** Deletes a directory too, with all that is in it; default: false */
    recursive?: boolean;
}
/** The answer to delete_file */
export interface DeleteFileReply {
    /** The command it answers; an older name is answered as this */
    type: 'delete_file';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: DeleteFileResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of delete_file */
export interface DeleteFileResult {
    /** Absolute, below /workspace */
    path: string;
    /** Always true: what can't be deleted is an error */
    deleted: boolean;
}
/** diff: Tells two files, texts or directories apart, in the unified format; directories as git does */
export interface DiffCommand {
    /** The command */
    type: 'diff';
    /** Echoed in the answer */
    id?: string;
    /** Below /workspace, or relative to it. A byte of a name that is no UTF-8 is written as \x and two lowercase hexadecimal digits, such as caf\xe9.txt, as listings show it; a backslash that would be read so is \x5c */
    originalPath?: string;
    /** Instead of originalPath */
    originalContent?: string;
    /** Below /workspace, or relative to it. A byte of a name that is no UTF-8 is written as \x and two lowercase hexadecimal digits, such as caf\xe9.txt, as listings show it; a backslash that would be read so is \x5c */
    modifiedPath?: string;
    /** Instead of modifiedPath */
    modifiedContent?: string;
    /** Lines around each change that are shown as well; default: 3 */
    contextLines?: number;
    /** The only one there is */
    format?: 'unified';
}
/** The answer to diff */
export interface DiffReply {
    /** The command it answers; an older name is answered as this */
    type: 'diff';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: DiffResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of diff */
export interface DiffResult {
    /** What git apply and patch read; empty where nothing differs */
    diff: string;
    /** Lines, of text files */
    added: number;
    /** Lines, of text files */
    removed: number;
    /** The two do not differ */
    identical: boolean;
    /** A file is not UTF-8 text; where it differs, the diff holds all of it as a binary patch of git */
    binary: boolean;
}
/** execute_code: Runs a cell in an interpreter that keeps its state */
export interface ExecuteCodeCommand {
    /** The command */
    type: 'execute_code';
    /** Echoed in the answer */
    id?: string;
    /** Source of the cell */
    code: string;
    /** Name or alias; default: the session's */
    language?: string;
    /** Wall seconds */
    timeout?: number;
    /** MB, not above the session's */
    memoryLimit?: number;
    /** What the cell reads from standard input */
    stdin?: string;
    /** Of stdout and stderr in the reply, utf8 by default; notifications are the same with either */
    stdoutEncoding?: 'utf8' | 'base64';
    /** One of several interpreters; default: default */
    context?: string;
    /** Answer at once; its end is a notification, and its limits are those of any cell; default: false */
    background?: boolean;
    /** Plain requirements of the language’s own ecosystem, such as pandas==2.*; installed before the program starts, which stays without a network */
    packages?: (string)[];
}
/** The answer to execute_code */
export interface ExecuteCodeReply {
    /** The command it answers; an older name is answered as this */
    type: 'execute_code';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: ExecuteCodeResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of execute_code */
export type ExecuteCodeResult = CellResult | BackgroundResult;
/** A program to run, once, in a sandbox of its own */
export interface ExecuteRequest {
    /** Source of the program, which is written to its main file */
    code: string;
    /** Name or alias */
    language: string;
    /** Limits and surroundings of the run */
    config?: {
        /** Wall seconds from the start of the program; default: 30 */
        timeout?: number;
        /** Wall seconds of the compile stage; default: 30 */
        compileTimeout?: number;
        /** CPU seconds summed over all processes; none by default */
        cpuTime?: number;
        /** MB; default: 512 */
        memoryLimit?: number;
        /** Cores, a ceiling; default: 1 */
        cpuLimit?: number;
        /** false without `network`: the program may connect to all that the operator allows; default: true */
        disableNetwork?: boolean;
        /** Where programs may connect; left out: nowhere */
        network?: {
            /** Rules: a name, *.name for all names below it, * for any, an address or a block of them such as 203.0.113.0/24, each with :port or :first-last; by default ports 80 and 443 */
            allow: (string)[];
            /** The same; what is denied is not allowed, whatever else says so */
            deny?: (string)[];
        };
        /** false is refused: programs own nothing of the root. /workspace, /tmp and the home can be written; default: true */
        readOnlyFilesystem?: boolean;
        /** Environment variables as given, byte for byte */
        environment?: Record<string, string>;
        /** Plain requirements of the language’s own ecosystem, such as pandas==2.*; installed before the program starts, which stays without a network */
        packages?: (string)[];
    };
    /** What the program reads from standard input; without it nothing */
    stdin?: string;
    /** Of stdout and stderr in the reply, utf8 by default; notifications are the same with either */
    stdoutEncoding?: 'utf8' | 'base64';
    /** Arguments of the program, without NUL characters */
    args?: (string)[];
    /** Written to /workspace before the run */
    files?: ({
        /** Relative to /workspace */
        path: string;
        /** All of it */
        content: string;
        /** Of content; default: utf8 */
        encoding?: 'utf8' | 'base64';
    })[];
    /** Read after the run; a name ending in ? may be missing */
    outputFiles?: (string)[];
    /** What the runtime is picked by: least start-up time, highest isolation, least memory, or all of them (the default) */
    runtimePreference?: 'Speed' | 'Security' | 'Memory' | 'Balanced';
    /** Forces a runtime; case does not matter */
    runtimeType?: string;
    /** the name of a container image, such as registry.example/name:tag */
    dockerImage?: string;
}
/** execute_shell: Runs a program directly with its arguments; no shell sits in between */
export interface ExecuteShellCommand {
    /** The command */
    type: 'execute_shell';
    /** Echoed in the answer */
    id?: string;
    /** The name of a program on PATH, or its path, without NUL characters */
    commandName: string;
    /** Its arguments, as they are: nothing is expanded */
    args?: (string)[];
    /** Below /workspace; default: /workspace */
    workingDirectory?: string;
    /** Environment variables as given, byte for byte */
    environment?: Record<string, string>;
    /** What the program reads from standard input */
    stdin?: string;
    /** Wall seconds */
    timeout?: number;
    /** Of stdout and stderr in the reply, utf8 by default; notifications are the same with either */
    stdoutEncoding?: 'utf8' | 'base64';
    /** Runs it in a terminal of this size: stdout is what the terminal shows, process.input types and process.resize resizes it. Goes with background: true or stream: true, and without stdin */
    pty?: {
        /** Columns of characters */
        cols: number;
        /** Rows of characters */
        rows: number;
    };
    /** Answer at once; without a timeout it may run as long as the session; default: false */
    background?: boolean;
}
/** The answer to execute_shell */
export interface ExecuteShellReply {
    /** The command it answers; an older name is answered as this */
    type: 'execute_shell';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: ExecuteShellResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of execute_shell */
export type ExecuteShellResult = ProgramResult | BackgroundResult;
/** Why nothing was installed */
export interface InstallFailure {
    /** Nothing was installed */
    outcome: 'install_error';
    /** Why nothing was installed */
    reason: 'not_found' | 'conflict' | 'needs_build' | 'registry_unreachable' | 'timeout' | 'too_large' | 'denied' | 'digest';
    /** The installer's last words; empty where it had none */
    words: string;
}
/** install_packages: Installs packages for the session: every cell and program that starts afterwards finds them */
export interface InstallPackagesCommand {
    /** The command */
    type: 'install_packages';
    /** Echoed in the answer */
    id?: string;
    /** Plain requirements of the language’s own ecosystem, such as pandas==2.*; installed before the program starts, which stays without a network */
    packages?: (string)[];
    /** Instead of packages: a file below /workspace of plain requirements: a requirements.txt, a package.json or a go.mod */
    requirementsFile?: string;
    /** uv or pip for Python, bun or npm for JavaScript and TypeScript, of which the first installs either way, go for Go; by default that of the session’s language */
    manager?: string;
    /** Source packages of Python are built, and install scripts of npm’s run: in a sandbox of their own that reaches nothing but the registry. What comes of it is for this key’s clients alone, and what the session installs afterwards is built too. false: what must be built is not installed, and no script of a package runs; default: false */
    build?: boolean;
    /** Wall seconds */
    timeout?: number;
}
/** The answer to install_packages */
export interface InstallPackagesReply {
    /** The command it answers; an older name is answered as this */
    type: 'install_packages';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: InstallPackagesResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of install_packages */
export type InstallPackagesResult = InstallResult | InstallFailure;
/** What was installed */
export interface InstallResult {
    /** What installed them */
    manager: string;
    /** Names what is installed by its content, and by what was asked for */
    layer: string;
    /** All that the session has, dependencies included */
    installed: ({
        /** As its index has it */
        name: string;
        /** That was picked */
        version: string;
        /** Of its files */
        bytes: number;
        /** Of the artifact it came from, such as sha256:… */
        digest: string | null;
    })[];
    /** It was there already */
    cached: boolean;
    /** Wall time, milliseconds */
    durationMs: number;
    /** Packages that were there in another version, which an interpreter that has imported one keeps */
    restartNeeded: (string)[];
}
/** A language and what runs it here */
export interface LanguageInfo {
    /** What language in a request says */
    name: string;
    /** Its name for people */
    displayName: string;
    /** Of the toolchain that Balanced would pick now; null without any */
    version: string | null;
    /** Other names that mean it */
    aliases: (string)[];
    /** The image it has on Docker; null for none */
    dockerImage: string | null;
    /** What can run it, be it available or not */
    runtimes: ({
        /** What runs it */
        runtimeType: 'Docker' | 'Deno' | 'Bun' | 'NodeJs' | 'Python' | 'Go';
        /** It can run the language here and now */
        available: boolean;
        /** Why not, and what cures it */
        reason: string | null;
        /** Of its toolchain, as that tells it; null where there is none */
        version: string | null;
        /** Measured on this machine by the probe */
        startupMs: number | null;
        /** Private memory of an idle interpreter, measured by the probe */
        memoryMB: number | null;
        /** 1 would be a bare process, 10 another machine */
        isolationLevel: number;
    })[];
}
/** list_directory: Lists a directory */
export interface ListDirectoryCommand {
    /** The command */
    type: 'list_directory';
    /** Echoed in the answer */
    id?: string;
    /** Below /workspace, or relative to it; default: . */
    path?: string;
    /** Lists the directories in it too; default false, and true when called list_files */
    recursive?: boolean;
    /** A glob: * ? [a-z] ** {a,b}; without a slash it is matched against the name */
    pattern?: string;
    /** Lists what begins with a dot too; default: false */
    includeHidden?: boolean;
    /** 0: no limit; 1: direct children; default: 0 */
    maxDepth?: number;
}
/** The answer to list_directory */
export interface ListDirectoryReply {
    /** The command it answers; an older name is answered as this */
    type: 'list_directory';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: ListDirectoryResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of list_directory */
export interface ListDirectoryResult {
    /** Absolute, below /workspace */
    path: string;
    /** What is in it, but for what pattern, includeHidden and maxDepth leave out */
    entries: ({
        /** The last part of its path */
        name: string;
        /** Relative to /workspace */
        path: string;
        /** A link is not followed */
        type: 'file' | 'directory' | 'symlink' | 'other';
        /** Bytes */
        size: number;
        /** When its content last changed; ISO 8601, UTC, milliseconds */
        modifiedAt: string;
    })[];
}
/** Forms of one value by MIME type; binary ones are base64 */
export interface MimeBundle {
    /** The value as its language prints it */
    'text/plain'?: string;
    /** HTML of the program, which is not to be trusted */
    'text/html'?: string;
    /** Markdown */
    'text/markdown'?: string;
    /** LaTeX */
    'text/latex'?: string;
    /** A picture, such as a figure of matplotlib; base64 */
    'image/png'?: string;
    /** A picture; base64 */
    'image/jpeg'?: string;
    /** A picture, as the text of an SVG document */
    'image/svg+xml'?: string;
    /** Any JSON value */
    'application/json'?: unknown;
    [name: string]: unknown;
}
/** move_file: Moves a file or directory */
export interface MoveFileCommand {
    /** The command */
    type: 'move_file';
    /** Echoed in the answer */
    id?: string;
    /** Below /workspace, or relative to it. A byte of a name that is no UTF-8 is written as \x and two lowercase hexadecimal digits, such as caf\xe9.txt, as listings show it; a backslash that would be read so is \x5c */
    sourcePath: string;
    /** Below /workspace, or relative to it. A byte of a name that is no UTF-8 is written as \x and two lowercase hexadecimal digits, such as caf\xe9.txt, as listings show it; a backslash that would be read so is \x5c */
    destinationPath: string;
    /** false: fails where something has that name; default: true */
    overwrite?: boolean;
}
/** The answer to move_file */
export interface MoveFileReply {
    /** The command it answers; an older name is answered as this */
    type: 'move_file';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: MoveFileResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of move_file */
export interface MoveFileResult {
    /** Absolute, below /workspace */
    sourcePath: string;
    /** Absolute, below /workspace */
    destinationPath: string;
    /** Size of the file */
    bytes: number;
}
/** A file that a run brings back */
export interface OutputFile {
    /** As outputFiles named it */
    path: string;
    /** All of it, where it fits in the result */
    content?: string;
    /** base64 where its bytes are not UTF-8 */
    encoding?: 'utf8' | 'base64';
    /** Instead of content, where those before it left no room: its path on this server, to be fetched as long as the result is kept */
    url?: string;
    /** Bytes of what the url brings */
    size?: number;
}
/** Why a request was not done */
export interface Problem {
    /** What is wrong, for programs */
    code: 'VALIDATION_ERROR' | 'UNAUTHORIZED' | 'FORBIDDEN' | 'NOT_FOUND' | 'SESSION_NOT_FOUND' | 'METHOD_NOT_ALLOWED' | 'SESSION_CLOSED' | 'CONFLICT' | 'DIGEST_MISMATCH' | 'PRECONDITION_FAILED' | 'PAYLOAD_TOO_LARGE' | 'UNSUPPORTED_MEDIA_TYPE' | 'RANGE_NOT_SATISFIABLE' | 'UNSUPPORTED_LANGUAGE' | 'RUNTIME_UNAVAILABLE' | 'NOT_SUPPORTED' | 'COMMAND_FAILED' | 'RATE_LIMITED' | 'TOO_MANY_SESSIONS' | 'QUEUE_FULL' | 'SHUTTING_DOWN' | 'STORAGE_UNAVAILABLE' | 'CANCELLED' | 'DISK_FULL' | 'INTERNAL_ERROR';
    /** What is wrong, in a sentence; of a wrong field it begins with its path */
    message: string;
    /** More of it, such as what was considered and why each was refused */
    details?: string;
    /** Why, in one word: of a session that has ended idle, lifetime, shutdown, … */
    reason?: string;
    /** When it was answered; ISO 8601, UTC, milliseconds */
    timestamp: string;
}
/** How a program ended */
export interface ProgramResult {
    /** null when a signal ended it */
    exitCode: number | null;
    /** What it printed, up to the server's CODEBEAKER_MAX_OUTPUT_BYTES */
    stdout: string;
    /** The same of standard error */
    stderr: string;
    /** stdout and stderr are base64, as the request asked */
    stdoutEncoding?: 'base64';
    /** Bytes of stdout or stderr were not UTF-8 and became U+FFFD; stdoutEncoding keeps them */
    encodingErrors?: true;
    /** How the program ended; a limit is the outcome only where it made the program fail */
    outcome: 'ok' | 'nonzero_exit' | 'signalled' | 'wall_timeout' | 'cpu_timeout' | 'memory_limit' | 'output_limit' | 'process_limit' | 'disk_limit' | 'compile_error' | 'install_error' | 'cancelled' | 'sandbox_lost';
    /** The signal that ended it, such as SIGKILL */
    signal: string | null;
    /** Wall time, milliseconds */
    durationMs: number;
    usage: Usage;
}
/** read_file: Reads a file, or a part of it; bytes that are not UTF-8 come as base64, and fail where utf8 is asked */
export interface ReadFileCommand {
    /** The command */
    type: 'read_file';
    /** Echoed in the answer */
    id?: string;
    /** Below /workspace, or relative to it. A byte of a name that is no UTF-8 is written as \x and two lowercase hexadecimal digits, such as caf\xe9.txt, as listings show it; a backslash that would be read so is \x5c */
    path: string;
    /** Without it utf8, or base64 where the bytes are not UTF-8 or mostly control characters */
    encoding?: 'utf8' | 'base64';
    /** Bytes of the file before the part that is read; default: 0 */
    offset?: number;
    /** Bytes of the part that is read; default: to the end */
    length?: number;
}
/** The answer to read_file */
export interface ReadFileReply {
    /** The command it answers; an older name is answered as this */
    type: 'read_file';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: ReadFileResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of read_file */
export interface ReadFileResult {
    /** The file, or the part that was asked for */
    content: string;
    /** Bytes read */
    bytes: number;
    /** Of content */
    encoding: 'utf8' | 'base64';
}
/** restart_context: Starts an interpreter afresh: its state is gone, files stay */
export interface RestartContextCommand {
    /** The command */
    type: 'restart_context';
    /** Echoed in the answer */
    id?: string;
    /** One of several interpreters; default: default */
    context?: string;
}
/** The answer to restart_context */
export interface RestartContextReply {
    /** The command it answers; an older name is answered as this */
    type: 'restart_context';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: RestartContextResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of restart_context */
export interface RestartContextResult {
    /** The name of the interpreter */
    context: string;
}
/** What a session is to have */
export interface SessionConfig {
    /** Name or alias */
    language: string;
    /** What the runtime is picked by: least start-up time, highest isolation, least memory, or all of them (the default) */
    runtimePreference?: 'Speed' | 'Security' | 'Memory' | 'Balanced';
    /** Forces a runtime; case does not matter */
    runtimeType?: string;
    /** the name of a container image, such as registry.example/name:tag */
    dockerImage?: string;
    /** It ends after so long without a call or a running command; default: 30 */
    idleTimeoutMinutes?: number;
    /** It ends after so long in any case; default: 120 */
    maxLifetimeMinutes?: number;
    /** MB, of all that runs in it and of its files; default: 512 */
    memoryLimitMB?: number;
    /** 1024 is one core; default: 1024 */
    cpuShares?: number;
    /** false: /workspace is emptied after each command; default: true */
    persistFilesystem?: boolean;
    /** Environment variables as given, byte for byte */
    environment?: Record<string, string>;
    /** Comes back as it was given */
    metadata?: Record<string, unknown>;
    /** Plain requirements of the language’s own ecosystem, such as pandas==2.*; installed before the program starts, which stays without a network */
    packages?: (string)[];
    /** true without `network`: programs may connect to all that the operator allows; default: false */
    networkEnabled?: boolean;
    /** Where programs may connect; left out: nowhere */
    network?: {
        /** Rules: a name, *.name for all names below it, * for any, an address or a block of them such as 203.0.113.0/24, each with :port or :first-last; by default ports 80 and 443 */
        allow: (string)[];
        /** The same; what is denied is not allowed, whatever else says so */
        deny?: (string)[];
    };
    /** Deno only */
    permissions?: {
        /** Paths, which are no URLs; true: all, false: none */
        allowRead?: boolean | (string)[];
        /** Paths, which are no URLs; true: all, false: none */
        allowWrite?: boolean | (string)[];
        /** Hosts, of those that `network` allows; true: all, false: none */
        allowNet?: boolean | (string)[];
        /** Names of variables; true: all, false: none */
        allowEnv?: boolean | (string)[];
    };
}
/** A session and how it is */
export interface SessionInfo {
    /** Names the session */
    sessionId: string;
    /** Names its sandbox */
    environmentId: string;
    /** Repeats environmentId for old clients */
    containerId: string;
    /** What runs it */
    runtimeType: 'Docker' | 'Deno' | 'Bun' | 'NodeJs' | 'Python' | 'Go';
    /** Name of its language, whatever alias the request had */
    language: string;
    /** Active when it is made and while a command runs, Idle after one */
    state: 'Active' | 'Idle' | 'Closing' | 'Closed';
    /** When it was made; ISO 8601, UTC, milliseconds */
    createdAt: string;
    /** When it was last used; ISO 8601, UTC, milliseconds */
    lastActivity: string;
    /** Counts commands */
    executionCount: number;
    /** Since it was last used; 0 while a command runs */
    idleMinutes: number;
    /** Since it was made */
    lifetimeMinutes: number;
    /** The SessionConfig with its defaults filled in */
    config: {
        [name: string]: unknown;
    };
}
/** A page of the caller's sessions */
export interface SessionList {
    /** All there are, on whatever page */
    count: number;
    /** In the order they were made; their config comes without environment */
    sessions: (SessionInfo)[];
    /** For the next page; null when this is the last one */
    nextCursor: string | null;
}
/** stat: Describes a file, directory or link; a link that the path names itself is not followed */
export interface StatCommand {
    /** The command */
    type: 'stat';
    /** Echoed in the answer */
    id?: string;
    /** Below /workspace, or relative to it. A byte of a name that is no UTF-8 is written as \x and two lowercase hexadecimal digits, such as caf\xe9.txt, as listings show it; a backslash that would be read so is \x5c */
    path: string;
}
/** The answer to stat */
export interface StatReply {
    /** The command it answers; an older name is answered as this */
    type: 'stat';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: StatResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of stat */
export interface StatResult {
    /** The last part of its path */
    name: string;
    /** Absolute, below /workspace */
    path: string;
    /** A link is not followed */
    type: 'file' | 'directory' | 'symlink' | 'other';
    /** Bytes */
    size: number;
    /** The twelve bits of chmod(2): 420 is 0644 */
    mode: number;
    /** When its content last changed; ISO 8601, UTC, milliseconds */
    modifiedAt: string;
    /** Where a link points, as it is written there */
    target?: string;
}
/** How a run is doing, or how it ended */
export interface StatusResponse {
    /** Names the run: a one-shot or a command of a session */
    executionId: string;
    /** completed is exit code 0; timeout a limit of wall or CPU time; failed all else that went wrong */
    status: 'pending' | 'running' | 'completed' | 'failed' | 'timeout' | 'cancelled';
    /** null when a signal ended the program */
    exitCode: number | null;
    /** What it printed, up to the server's CODEBEAKER_MAX_OUTPUT_BYTES; empty while it runs */
    stdout: string;
    /** The same of standard error */
    stderr: string;
    /** stdout and stderr are base64, as the request asked */
    stdoutEncoding?: 'base64';
    /** Bytes of stdout or stderr were not UTF-8 and became U+FFFD; stdoutEncoding keeps them */
    encodingErrors?: true;
    /** Wall time from the start of the program to its end, milliseconds */
    durationMs: number | null;
    /** A limit of wall or CPU time ended it */
    timeout: boolean;
    /** The outcome in fewer words; null when that is ok */
    errorType: 'timeout' | 'memory_limit' | 'output_limit' | 'compilation_error' | 'cancelled' | 'internal_error' | 'runtime_error' | null;
    /** When it was taken; ISO 8601, UTC, milliseconds */
    createdAt: string;
    /** When its program started; null before that; ISO 8601, UTC, milliseconds */
    startedAt: string | null;
    /** When it ended; null before that; ISO 8601, UTC, milliseconds */
    completedAt: string | null;
    /** Name of its language, whatever alias the request had */
    language: string;
    /** What ran it, such as Python or Docker */
    runtimeType: string | null;
    /** How the program ended; a limit is the outcome only where it made the program fail */
    outcome: 'ok' | 'nonzero_exit' | 'signalled' | 'wall_timeout' | 'cpu_timeout' | 'memory_limit' | 'output_limit' | 'process_limit' | 'disk_limit' | 'compile_error' | 'install_error' | 'cancelled' | 'sandbox_lost' | null;
    /** The signal that ended the program, such as SIGKILL */
    signal: string | null;
    /** stdout or stderr is not all that was printed */
    truncated: boolean;
    /** All that was printed to stdout, kept or not */
    stdoutBytes: number;
    /** The same of stderr */
    stderrBytes: number;
    /** What it used; null while it runs */
    usage: Usage | null;
    /** How its compiling ended; null for languages without a compiler */
    compile: CompileResult | null;
    /** Those of outputFiles that were there */
    files: (OutputFile)[];
    /** Those of outputFiles that were not, without those whose name ended in ? */
    missingFiles: (string)[];
    /** Of a cell: its rich results, in order; the last is its value */
    results?: (MimeBundle)[];
    /** The uncaught exception that ended a cell */
    error?: CellError | null;
    /** Of a cell: counts those of its context */
    executionCount?: number;
    /** Why a command of a session did not succeed, as in its CommandResult's error */
    message?: string;
}
/** What a run used; a figure that this kernel does not give is null */
export interface Usage {
    /** From the start of the program to its end */
    wallMs: number;
    /** CPU time summed over all processes */
    cpuMs: number | null;
    /** Most memory at once */
    peakMemoryBytes: number | null;
    /** Most processes and threads at once */
    peakProcesses: number | null;
    /** A process was killed for memory, be it a child of a program that went on */
    oomKilled: boolean;
    /** Limits that were hit, also by a program that recovered */
    limitsHit: ('memory' | 'processes' | 'disk' | 'output')[];
    /** What passed while it ran, of its whole session; absent without a network */
    network?: {
        /** From the network */
        bytesIn: number;
        /** To it */
        bytesOut: number;
        /** That were made */
        connections: number;
        /** Names and connections that were refused */
        denied: number;
    };
}
/** write_file: Writes a file and its parent directories */
export interface WriteFileCommand {
    /** The command */
    type: 'write_file';
    /** Echoed in the answer */
    id?: string;
    /** Below /workspace, or relative to it. A byte of a name that is no UTF-8 is written as \x and two lowercase hexadecimal digits, such as caf\xe9.txt, as listings show it; a backslash that would be read so is \x5c */
    path: string;
    /** What is written */
    content: string;
    /** Create (default): in the place of what is there; Append: behind it */
    mode?: 'Create' | 'Append';
    /** Of content; default: utf8 */
    encoding?: 'utf8' | 'base64';
}
/** The answer to write_file */
export interface WriteFileReply {
    /** The command it answers; an older name is answered as this */
    type: 'write_file';
    /** The command's id, or ours */
    id: string;
    /** false when it could not do its work: error says why */
    success: boolean;
    /** What came of it; null when it could not do its work */
    result: WriteFileResult | null;
    /** A sentence, when success is false */
    error: string | null;
    /** From its turn to its end */
    durationMs: number;
}
/** What came of write_file */
export interface WriteFileResult {
    /** Absolute, below /workspace */
    path: string;
    /** Bytes written */
    bytes: number;
}
/** A port that has a name */
export interface ExposedPort {
    /** The port inside */
    port: number;
    /** Where it is reached: an origin of its own */
    url: string;
    /** For X-CodeBeaker-Port-Token, which a request to a port that is not public needs */
    token: string;
}
/** What listens on TCP in a session */
export interface ListeningPort {
    /** The port inside */
    port: number;
    /** What it listens on, such as 127.0.0.1 or 0.0.0.0 */
    address: string;
    /** It has a name */
    exposed: boolean;
    /** Where it is reached; null where it is not exposed */
    url: string | null;
}
/** What became of a file */
export interface FileEvent {
    /** Names the watch */
    watchId: string;
    /** Names the session */
    sessionId: string;
    /** overflow: something may have been missed, and what happens from here on is told again; ended: nothing more is told */
    type: 'created' | 'modified' | 'deleted' | 'renamed' | 'overflow' | 'ended';
    /** Absolute; of overflow and ended the one that is watched */
    path: string;
    /** Of renamed */
    newPath?: string;
    /** Of ended: why, in a sentence */
    message?: string;
}
/** What a session can be asked for, and what comes of it, by its type. */
export interface Commands {
    execute_code: {
        command: ExecuteCodeCommand;
        result: NonNullable<ExecuteCodeReply['result']>;
    };
    restart_context: {
        command: RestartContextCommand;
        result: NonNullable<RestartContextReply['result']>;
    };
    install_packages: {
        command: InstallPackagesCommand;
        result: NonNullable<InstallPackagesReply['result']>;
    };
    write_file: {
        command: WriteFileCommand;
        result: NonNullable<WriteFileReply['result']>;
    };
    read_file: {
        command: ReadFileCommand;
        result: NonNullable<ReadFileReply['result']>;
    };
    execute_shell: {
        command: ExecuteShellCommand;
        result: NonNullable<ExecuteShellReply['result']>;
    };
    create_directory: {
        command: CreateDirectoryCommand;
        result: NonNullable<CreateDirectoryReply['result']>;
    };
    copy_file: {
        command: CopyFileCommand;
        result: NonNullable<CopyFileReply['result']>;
    };
    move_file: {
        command: MoveFileCommand;
        result: NonNullable<MoveFileReply['result']>;
    };
    delete_file: {
        command: DeleteFileCommand;
        result: NonNullable<DeleteFileReply['result']>;
    };
    list_directory: {
        command: ListDirectoryCommand;
        result: NonNullable<ListDirectoryReply['result']>;
    };
    stat: {
        command: StatCommand;
        result: NonNullable<StatReply['result']>;
    };
    diff: {
        command: DiffCommand;
        result: NonNullable<DiffReply['result']>;
    };
    apply_patch: {
        command: ApplyPatchCommand;
        result: NonNullable<ApplyPatchReply['result']>;
    };
}
/** What runs tell, by its name. */
export interface EventsByType {
    'started': {
        /** Names the run; a command of a session has one too */
        executionId: string;
        /** null for execution.run */
        sessionId: string | null;
        /** The command's id, or ours */
        commandId: string | null;
        /** Contiguous from 1 within a session, or within an execution */
        seq: number;
    };
    'output': {
        /** Names the run; a command of a session has one too */
        executionId: string;
        /** null for execution.run */
        sessionId: string | null;
        /** The command's id, or ours */
        commandId: string | null;
        /** Contiguous from 1 within a session, or within an execution */
        seq: number;
        /** Where it was printed */
        stream: 'stdout' | 'stderr';
        /** What was printed, where its bytes are UTF-8 */
        text?: string;
        /** base64, instead of text where the bytes are not UTF-8 */
        data?: string;
    };
    'result': {
        /** Names the run; a command of a session has one too */
        executionId: string;
        /** null for execution.run */
        sessionId: string | null;
        /** The command's id, or ours */
        commandId: string | null;
        /** Contiguous from 1 within a session, or within an execution */
        seq: number;
        mimeBundle: MimeBundle;
        /** It is the value of the cell's last expression, and was not displayed */
        isValue?: true;
    };
    'progress': {
        /** Names the run; a command of a session has one too */
        executionId: string;
        /** null for execution.run */
        sessionId: string | null;
        /** The command's id, or ours */
        commandId: string | null;
        /** Contiguous from 1 within a session, or within an execution */
        seq: number;
        /** Of a batch: how many of its commands have ended */
        step: number;
        /** Of a batch: how many commands it has */
        total: number;
        /** Of a batch: the type of the command that has ended */
        message: string;
        /** Of a batch: the place of that command, as in its results */
        index?: number;
        result?: CommandResult;
        /** Of an install: how far it has come */
        phase?: 'resolve' | 'download' | 'install' | 'verify' | 'ready';
        /** What is being looked up or downloaded */
        package?: string;
        /** Of it, so far */
        bytes?: number;
        /** Of it, where that is known */
        totalBytes?: number;
    };
    'network.denied': {
        /** Names the run; a command of a session has one too */
        executionId: string;
        /** null for execution.run */
        sessionId: string | null;
        /** The command's id, or ours */
        commandId: string | null;
        /** Contiguous from 1 within a session, or within an execution */
        seq: number;
        /** What was asked for, or its address */
        name?: string;
        /** What was connected to without a name */
        address?: string;
        /** null: only its name was asked for */
        port: number | null;
        /** Why: no rule allows it; its address is private; what was said on the connection names another host, none, or one that is hidden; it is not what that port carries; there is no such name or no answer; all bytes that may pass have */
        reason: 'not_allowed' | 'private_address' | 'other_name' | 'no_name' | 'hidden_name' | 'not_tls' | 'not_http' | 'malformed' | 'not_found' | 'unreachable' | 'byte_limit';
    };
    'completed': {
        /** Names the run; a command of a session has one too */
        executionId: string;
        /** null for execution.run */
        sessionId: string | null;
        /** The command's id, or ours */
        commandId: string | null;
        /** Contiguous from 1 within a session, or within an execution */
        seq: number;
        /** completed is exit code 0; timeout a limit of wall or CPU time; failed all else that went wrong */
        status: 'pending' | 'running' | 'completed' | 'failed' | 'timeout' | 'cancelled';
        /** null when a signal ended the program */
        exitCode: number | null;
        /** The signal that ended the program */
        signal?: string;
        /** How the program ended; a limit is the outcome only where it made the program fail */
        outcome?: 'ok' | 'nonzero_exit' | 'signalled' | 'wall_timeout' | 'cpu_timeout' | 'memory_limit' | 'output_limit' | 'process_limit' | 'disk_limit' | 'compile_error' | 'install_error' | 'cancelled' | 'sandbox_lost';
        /** Of a cell: its rich results, as its answer has them */
        results?: (MimeBundle)[];
        /** The uncaught exception that ended a cell */
        error?: CellError | null;
        /** Of a cell */
        executionCount?: number;
        /** Why a command of a session did not succeed, in a sentence */
        message?: string;
    };
}
