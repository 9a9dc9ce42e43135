/** Tabs as the ARIA Authoring Practices Guide has them: one stop for Tab, arrows, Home and End choose. */
export class Tabs {
    #tabs;
    #shown;
    /** @param shown is called with the panel's id when its tab is chosen */
    constructor(list, shown) {
        this.#shown = shown;
        this.#tabs = [...list.querySelectorAll('[role=tab]')];
        for (const tab of this.#tabs) {
            tab.onclick = () => this.#choose(tab);
            tab.onkeydown = event => this.#move(event, tab);
        }
    }
    show(panel) {
        const tab = this.#tabs.find(each => each.getAttribute('aria-controls') === panel);
        if (tab && tab.getAttribute('aria-selected') !== 'true')
            this.#choose(tab);
    }
    #choose(chosen) {
        for (const tab of this.#tabs) {
            const isChosen = tab === chosen;
            tab.setAttribute('aria-selected', String(isChosen));
            tab.tabIndex = isChosen ? 0 : -1;
            document.getElementById(tab.getAttribute('aria-controls')).hidden = !isChosen;
        }
        this.#shown(chosen.getAttribute('aria-controls'));
    }
    #move(event, tab) {
        const count = this.#tabs.length;
        const at = this.#tabs.indexOf(tab);
        const places = {
            ArrowRight: at + 1,
            ArrowLeft: at - 1 + count,
            Home: 0,
            End: count - 1,
        };
        const place = places[event.key];
        if (place === undefined)
            return;
        event.preventDefault();
        const next = this.#tabs[place % count];
        next.focus();
        this.#choose(next);
    }
}
