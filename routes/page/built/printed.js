import { make } from './elements.js';
import { continued, PlainText } from './plain-text.js';
/** Most characters of a run that are shown: the last ones. */
export const MOST_CHARACTERS = 100_000;
/** Most changes between standard output and standard error that are shown. */
const MOST_BLOCKS = 200;
/** So often the page is drawn while a program prints, milliseconds; where drawing takes long, it takes a quarter of the time. */
const DRAW_MS = 50;
const DRAW_SHARE = 4;
/** What a run prints, as it comes, in blocks of one stream each. However much it is, the page holds only its end. */
export class Printed {
    element = make('div', { className: 'printed' });
    #left = make('p', { className: 'left-out', hidden: true });
    #plain = { stdout: new PlainText(), stderr: new PlainText() };
    #drawn;
    #blocks = [];
    #leftOut = 0;
    #isApart = false;
    /** Drawing it the last time, milliseconds. */
    #took = 0;
    #timer;
    /** @param drawn is called after the page has changed */
    constructor(drawn) {
        this.#drawn = drawn;
        this.element.append(this.#left);
    }
    add(stream, text) {
        this.#add(stream, this.#plain[stream].take(text));
    }
    end() {
        for (const stream of ['stdout', 'stderr'])
            this.#add(stream, this.#plain[stream].end());
        this.#draw();
    }
    /** Another element between what was printed before it and what will be. */
    insert(element) {
        this.#draw();
        this.element.append(element);
        this.#isApart = true;
    }
    #add(stream, text) {
        if (text === '')
            return;
        let last = this.#blocks.at(-1);
        if (last?.stream !== stream || this.#isApart) {
            this.#isApart = false;
            last = { stream, ...this.#append(stream), text: '' };
            this.#blocks.push(last);
        }
        last.text = continued(last.text, text);
        this.#forget();
        this.#timer ??= setTimeout(() => this.#draw(), Math.max(DRAW_MS, DRAW_SHARE * this.#took));
    }
    #append(stream) {
        const node = document.createTextNode('');
        const label = stream === 'stderr' ? [make('span', { className: 'tag' }, 'stderr')] : [];
        const element = make('div', { className: stream, hidden: true }, ...label, make('pre', {}, node));
        this.element.append(element);
        return { element, node };
    }
    #forget() {
        let over = this.#blocks.reduce((sum, { text }) => sum + text.length, 0) - MOST_CHARACTERS;
        while (over > 0 || this.#blocks.length > MOST_BLOCKS) {
            const first = this.#blocks[0];
            const count = this.#blocks.length > MOST_BLOCKS ? first.text.length : Math.min(over, first.text.length);
            first.text = first.text.slice(count);
            this.#leftOut += count;
            over -= count;
            if (first.text === '' && this.#blocks.length > 1) {
                first.element.remove();
                this.#blocks.shift();
            }
        }
    }
    #draw() {
        const start = performance.now();
        clearTimeout(this.#timer);
        this.#timer = undefined;
        for (const { element, node, text } of this.#blocks) {
            if (node.data.length === text.length && node.data === text)
                continue;
            node.data = text;
            element.hidden = text === '';
        }
        this.#left.hidden = this.#leftOut === 0;
        this.#left.textContent = `${this.#leftOut.toLocaleString('en')} characters before this are not shown.`;
        this.#drawn();
        this.#took = performance.now() - start;
    }
}
