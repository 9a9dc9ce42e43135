import type { Command } from './command.ts';

interface Entry {
  readonly summary: string;
  /** Loaded only when it is used. */
  load(): Promise<Command>;
}

/** All commands, in the order of the help. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  run: {
    summary: 'run a program once, in a sandbox of its own',
    load: async () => (await import('./commands/run.ts')).run,
  },
  session: {
    summary: 'create, list, show and close sessions, which keep files and variables',
    load: async () => (await import('./commands/session.ts')).session,
  },
  exec: {
    summary: 'run a program or a cell in a session',
    load: async () => (await import('./commands/exec.ts')).exec,
  },
  shell: {
    summary: 'a terminal in a session',
    load: async () => (await import('./commands/shell.ts')).shell,
  },
  cp: {
    summary: 'copy files and directories to a session and back',
    load: async () => (await import('./commands/cp.ts')).cp,
  },
  install: {
    summary: 'install packages in a session',
    load: async () => (await import('./commands/install.ts')).install,
  },
  logs: {
    summary: 'what programs and cells of a session have printed',
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  doctor: {
    summary: 'what this machine lacks to be a server, and the cure',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  keys: {
    summary: 'make a key, and check one',
    load: async () => (await import('./commands/keys.ts')).keys,
  },
  serve: {
    summary: 'start the server',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  mcp: {
    summary: 'the Model Context Protocol, for clients that start programs',
    load: async () => (await import('./commands/mcp.ts')).mcp,
  },
  dap: {
    summary: 'the Debug Adapter Protocol, for editors',
    load: async () => (await import('./commands/dap.ts')).dap,
  },
};
