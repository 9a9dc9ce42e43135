/**
 * What not every server has and not every client wants. `initialize` calls them `supportsX` and `requestsX`.
 */
export const FEATURES = {
  Streaming: 'Notifications of what programs print and how they end',
  Debugging: 'Debuggers',
  PortForwarding: 'Ports of programs, under an address of their own',
  FileWatch: 'fs.watch',
  Terminals: 'pty of execute_shell, and process.resize',
  Packages: 'packages, and install_packages',
  Network: 'Programs that reach addresses outside of their sandbox',
  Snapshots: 'Snapshots of sessions',
  Fork: 'Copies of running sessions',
} as const;

export type Feature = keyof typeof FEATURES;

export const FEATURE_NAMES = Object.keys(FEATURES) as Feature[];
