/** As they were before a cell could replace them. */
const { call } = Function.prototype;
const indexOf = call.bind(String.prototype.indexOf) as (text: string, part: string) => number;
const slice = call.bind(String.prototype.slice) as (text: string, from: number, to?: number) => string;

/** Cuts text into lines as it comes. */
export function lineCutter(heard: (line: string) => void): (text: string) => void {
  let held = '';
  return text => {
    held += text;
    for (let end = indexOf(held, '\n'); end >= 0; end = indexOf(held, '\n')) {
      const line = slice(held, 0, end);
      held = slice(held, end + 1);
      heard(line);
    }
  };
}

/** Waits for what a full pipe has not taken yet; what was written to the descriptors themselves is out already. */
export function flush(): Promise<unknown> | null {
  const streams = [process.stdout, process.stderr].filter(stream => stream.writableLength > 0);
  if (streams.length === 0) return null;
  const written = streams.map(stream => new Promise<void>(resolve => stream.write('', () => resolve())));
  return Promise.all(written);
}
