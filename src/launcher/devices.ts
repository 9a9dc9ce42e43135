/** The harmless ones, with the kernel's numbers for them (admin-guide/devices.txt). */
export const DEVICES: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  null: [1, 3],
  zero: [1, 5],
  full: [1, 7],
  random: [1, 8],
  urandom: [1, 9],
  tty: [5, 0],
};

export const DEVICE_LINKS = {
  fd: '/proc/self/fd',
  stdin: 'fd/0',
  stdout: 'fd/1',
  stderr: 'fd/2',
  ptmx: 'pts/ptmx',
};
