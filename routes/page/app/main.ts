import { Editor } from './editor.ts';
import { byId } from './elements.ts';
import { ExamplePicker } from './example-picker.ts';
import { FilesPanel } from './files-panel.ts';
import { askForKey, forgetKey, key } from './key.ts';
import { Languages } from './languages.ts';
import { PageSession } from './page-session.ts';
import { Runner } from './runner.ts';
import { isCode, service, wordsOf } from './service.ts';
import { announce } from './status.ts';
import { Tabs } from './tabs.ts';
import { TerminalPanel } from './terminal-panel.ts';

/** Puts the page together. */
const keep = byId('keep', HTMLInputElement);
const restart = byId('restart', HTMLButtonElement);
const forget = byId('forget-key', HTMLButtonElement);
const editor = new Editor();
const examples = new ExamplePicker(editor);
const languages = new Languages(choose);
const session = new PageSession(sessionChanged);
const open = () => {
  keep.checked = true;
  return session.get(languages.name);
};
const explain = (error: unknown) => session.explain(error);
const files = new FilesPanel(open, explain);
const terminal = new TerminalPanel(open, explain);
const runner = new Runner(session);
let shown = 'output';
const tabs = new Tabs(byId('tabs', HTMLDivElement), panel => {
  shown = panel;
  if (panel === 'files') void files.show();
  if (panel === 'terminal') void terminal.show();
});

function choose(name: string): void {
  editor.language = name;
  examples.language = name;
  // Its interpreter is another language's.
  leave();
}

/** Ends the session, and leaves what shows it. */
function leave(): void {
  session.close();
  if (shown !== 'output') tabs.show('output');
}

function sessionChanged(): void {
  restart.hidden = !session.isOpen;
  files.reset();
  terminal.reset();
}

async function run(): Promise<void> {
  if (!languages.isAvailable) return announce('This language can’t run here', 'bad');
  if (editor.code.trim() === '') return announce('There is no program yet', 'bad');
  const stdin = byId('stdin', HTMLTextAreaElement).value;
  tabs.show('output');
  await runner.run({ code: editor.code, language: languages.name, stdin, isKept: keep.checked });
}

/** Asks what runs here, which needs the key if there is one. */
async function load(): Promise<void> {
  try {
    languages.all = await service().languages();
    forget.hidden = key() === undefined;
    editor.language = languages.name;
    examples.language = languages.name;
    announce('Ready');
  } catch (error) {
    announce(wordsOf(error), 'bad');
    if (isCode(error, 'UNAUTHORIZED')) askForKey(load);
  }
}

byId('run', HTMLButtonElement).onclick = run;
keep.onchange = () => {
  if (!keep.checked) leave();
};
restart.onclick = () => {
  leave();
  runner.restart();
  announce('The session is closed; the next run opens another one');
  byId('run', HTMLButtonElement).focus();
};
forget.onclick = () => {
  session.close();
  forgetKey();
  location.reload();
};
document.addEventListener('keydown', event => {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  if (byId('terminal', HTMLDivElement).contains(event.target as Node)) return;
  event.preventDefault();
  void run();
});
await load();
