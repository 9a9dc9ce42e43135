import { byId } from './elements.js';
/** Says in one line how things stand, to screen readers as well. */
export function announce(text, tone = 'calm') {
    const line = byId('status', HTMLParagraphElement);
    line.textContent = text;
    line.dataset.tone = tone;
}
