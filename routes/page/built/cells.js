import { bytesOf } from 'codebeaker/client';
import { byId, make } from './elements.js';
import { outcomeOf } from './outcome.js';
import { Printed } from './printed.js';
import { richResult } from './rich-result.js';
/** Most runs that stay on the page, and rich results of one of them. */
const MOST_RUNS = 20;
const MOST_RESULTS = 20;
/** The runs of this page, the last one below. */
export class Cells {
    #list = byId('runs', HTMLDivElement);
    #view = byId('output', HTMLDivElement);
    /** Whether the end is kept in sight: until the reader goes up, and again once they are back. */
    #follows = true;
    /** Where the view was last seen. */
    #top = 0;
    constructor() {
        this.#view.onscroll = () => {
            const { scrollTop, scrollHeight, clientHeight } = this.#view;
            if (scrollHeight - scrollTop - clientHeight < clientHeight / 2)
                this.#follows = true;
            else if (scrollTop < this.#top)
                this.#follows = false;
            this.#top = scrollTop;
        };
    }
    begin(title) {
        byId('nothing', HTMLElement).hidden = true;
        const cell = new Cell(title, () => this.#follow());
        this.#list.append(cell.element);
        while (this.#list.childElementCount > MOST_RUNS)
            this.#list.firstElementChild.remove();
        this.#follows = true;
        this.#follow();
        return cell;
    }
    clear() {
        this.#list.replaceChildren();
        byId('nothing', HTMLElement).hidden = false;
    }
    #follow() {
        if (this.#follows)
            this.#view.scrollTop = this.#view.scrollHeight;
    }
}
/** One run: what it printed and displayed, and how it ended. */
export class Cell {
    element;
    #printed;
    #drawn;
    #end = make('p', { className: 'end' });
    #decoder = { stdout: new TextDecoder(), stderr: new TextDecoder() };
    #results = 0;
    /** @param drawn is called after the page has changed */
    constructor(title, drawn) {
        this.#drawn = drawn;
        this.#printed = new Printed(drawn);
        const heading = title === '' ? [] : [make('h2', {}, make('bdi', {}, title))];
        this.element = make('article', { className: 'run' }, ...heading, this.#printed.element, this.#end);
    }
    take(event) {
        if (event.type === 'output') {
            const { stream } = event;
            this.#printed.add(stream, this.#decoder[stream].decode(bytesOf(event), { stream: true }));
        }
        else if (event.type === 'result')
            this.#show(event.mimeBundle);
        else if (event.type === 'lost')
            this.note(`${event.count} pieces of output were lost on the way.`);
    }
    /** How it ended, in words. */
    end(result) {
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
    fail(words) {
        this.#endPrinted();
        this.#end.textContent = words;
        this.#end.dataset.tone = 'bad';
        this.#drawn();
    }
    note(words) {
        this.#printed.insert(make('p', { className: 'note' }, words));
    }
    /** With what was no whole character when nothing more came. */
    #endPrinted() {
        for (const stream of ['stdout', 'stderr'])
            this.#printed.add(stream, this.#decoder[stream].decode());
        this.#printed.end();
    }
    #show(bundle) {
        this.#results++;
        if (this.#results <= MOST_RESULTS)
            this.#printed.insert(richResult(bundle));
        else if (this.#results === MOST_RESULTS + 1)
            this.note('More results are not shown.');
    }
}
