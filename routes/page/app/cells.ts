import { bytesOf, type MimeBundle, type RunEvent, type StatusResponse } from 'codebeaker/client';
import { byId, make } from './elements.ts';
import { outcomeOf } from './outcome.ts';
import { Printed } from './printed.ts';
import { richResult } from './rich-result.ts';

/** Most runs that stay on the page, and rich results of one of them. */
const MOST_RUNS = 20;
const MOST_RESULTS = 20;

/** The runs of this page, the last one below. */
export class Cells {
  readonly #list = byId('runs', HTMLDivElement);
  readonly #view = byId('output', HTMLDivElement);
  /** Whether the end is kept in sight: until the reader goes up, and again once they are back. */
  #follows = true;
  /** Where the view was last seen. */
  #top = 0;

  constructor() {
    this.#view.onscroll = () => {
      const { scrollTop, scrollHeight, clientHeight } = this.#view;
      if (scrollHeight - scrollTop - clientHeight < clientHeight / 2) this.#follows = true;
      else if (scrollTop < this.#top) this.#follows = false;
      this.#top = scrollTop;
    };
  }

  begin(title: string): Cell {
    byId('nothing', HTMLElement).hidden = true;
    const cell = new Cell(title, () => this.#follow());
    this.#list.append(cell.element);
    while (this.#list.childElementCount > MOST_RUNS) this.#list.firstElementChild!.remove();
    this.#follows = true;
    this.#follow();
    return cell;
  }

  clear(): void {
    this.#list.replaceChildren();
    byId('nothing', HTMLElement).hidden = false;
  }

  #follow(): void {
    if (this.#follows) this.#view.scrollTop = this.#view.scrollHeight;
  }
}

/** One run: what it printed and displayed, and how it ended. */
export class Cell {
  readonly element: HTMLElement;
  readonly #printed: Printed;
  readonly #drawn: () => void;
  readonly #end = make('p', { className: 'end' });
  readonly #decoder = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  #results = 0;

  /** @param drawn is called after the page has changed */
  constructor(title: string, drawn: () => void) {
    this.#drawn = drawn;
    this.#printed = new Printed(drawn);
    const heading = title === '' ? [] : [make('h2', {}, make('bdi', {}, title))];
    this.element = make('article', { className: 'run' }, ...heading, this.#printed.element, this.#end);
  }

  take(event: RunEvent): void {
    if (event.type === 'output') {
      const { stream } = event;
      this.#printed.add(stream, this.#decoder[stream].decode(bytesOf(event), { stream: true }));
    } else if (event.type === 'result') this.#show(event.mimeBundle);
    else if (event.type === 'lost') this.note(`${event.count} pieces of output were lost on the way.`);
  }

  /** How it ended, in words. */
  end(result: StatusResponse): string {
    const { compile, error } = result;
    if (compile && compile.outcome !== 'ok') {
      this.#printed.add('stdout', compile.stdout);
      this.#printed.add('stderr', compile.stderr);
    }
    // Kernels tell it apart from what was printed.
    if (error && !result.stderr.includes(error.message))
      this.#printed.add('stderr', error.traceback || `${error.name}: ${error.message}`);
    this.#endPrinted();
    const { words, isGood } = outcomeOf(result);
    this.#end.textContent = words;
    this.#end.dataset.tone = isGood ? 'good' : 'bad';
    this.#drawn();
    return words;
  }

  /** It could not run, or be followed. */
  fail(words: string): void {
    this.#endPrinted();
    this.#end.textContent = words;
    this.#end.dataset.tone = 'bad';
    this.#drawn();
  }

  note(words: string): void {
    this.#printed.insert(make('p', { className: 'note' }, words));
  }

  /** With what was no whole character when nothing more came. */
  #endPrinted(): void {
    for (const stream of ['stdout', 'stderr'] as const)
      this.#printed.add(stream, this.#decoder[stream].decode());
    this.#printed.end();
  }

  #show(bundle: MimeBundle): void {
    this.#results++;
    if (this.#results <= MOST_RESULTS) this.#printed.insert(richResult(bundle));
    else if (this.#results === MOST_RESULTS + 1) this.note('More results are not shown.');
  }
}
