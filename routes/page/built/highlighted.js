import hljs from '@highlightjs/cdn-assets/es/highlight.min.js';
/** What the highlighter writes: spans of a class, and text in which five characters are written as entities. */
const TAG = /<span class="([\w\s-]*)">|<\/span>/g;
const ENTITIES = {
    '&amp;': '&',
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#x27;': "'",
};
/** Longer programs are shown plain: they would be coloured anew at each key. */
export const MOST_CHARACTERS = 50_000;
/** A program in colours. What the highlighter answers is taken for text and classes, never for HTML. */
export function highlighted(code, language) {
    const fragment = document.createDocumentFragment();
    if (!hljs.getLanguage(language)) {
        fragment.append(code);
        return fragment;
    }
    const { value } = hljs.highlight(code, { language, ignoreIllegals: true });
    const open = [fragment];
    let at = 0;
    for (const tag of value.matchAll(TAG)) {
        open.at(-1).append(textOf(value.slice(at, tag.index)));
        at = tag.index + tag[0].length;
        if (tag[1] === undefined)
            open.pop();
        else {
            const span = document.createElement('span');
            span.className = tag[1];
            open.at(-1).append(span);
            open.push(span);
        }
    }
    open.at(-1).append(textOf(value.slice(at)));
    return fragment;
}
const textOf = (html) => html.replace(/&(?:amp|lt|gt|quot|#x27);/g, entity => ENTITIES[entity]);
