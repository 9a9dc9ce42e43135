/** Reads the one number that a file of a control group holds, such as `memory.current`. Null for no text and for "max". */
export function numberOf(text: string | null): number | null {
  return text === null || !/^\d+$/.test(text) ? null : Number(text);
}

/** Reads the number after a word at the start of a line, as `oom_kill` in `memory.events` has it. */
export function fieldOf(text: string | null, name: string): number | null {
  const line = text?.split('\n').find(each => each.startsWith(`${name} `));
  return line === undefined ? null : numberOf(line.slice(name.length + 1));
}

/** The figure in another unit. */
export function scaled(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor;
}
