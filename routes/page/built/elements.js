/** The element of the page with this id. */
export function byId(id, kind) {
    const found = document.getElementById(id);
    if (!(found instanceof kind))
        throw new Error(`the page has no ${kind.name} ${id}`);
    return found;
}
/** A new element. What is text in it comes as text, whatever it looks like. */
export function make(name, properties = {}, ...children) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
}
