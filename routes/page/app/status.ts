import { byId } from './elements.ts';

/** What is going on: `busy` while something runs, `bad` where something failed. */
export type Tone = 'calm' | 'busy' | 'good' | 'bad';

/** Says in one line how things stand, to screen readers as well. */
export function announce(text: string, tone: Tone = 'calm'): void {
  const line = byId('status', HTMLParagraphElement);
  line.textContent = text;
  line.dataset.tone = tone;
}
