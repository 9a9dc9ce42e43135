const isAdopted = Symbol.for('codebeaker.adopts-styles');
/**
 * Lets xterm.js style itself under a policy that allows no style within the page. It writes rules into <style> elements and `style` attributes, which
 * that forbids, since they could come with HTML; style sheets and properties that scripts set are allowed. So its rules become such.
 */
export function adoptStyles() {
    if (isAdopted in document)
        return;
    const create = document.createElement.bind(document);
    const styled = (name, options) => {
        if (name === 'style')
            return sheetElement(create('template'));
        const element = create(name, options);
        if (name === 'span')
            Object.defineProperty(element, 'setAttribute', { value: setAttribute });
        return element;
    };
    Object.assign(document, { createElement: styled, [isAdopted]: true });
}
/** An element whose text is a style sheet of the page. */
function sheetElement(element) {
    const sheet = new CSSStyleSheet();
    document.adoptedStyleSheets.push(sheet);
    return Object.defineProperties(element, {
        textContent: { set: (text) => sheet.replaceSync(text) },
        remove: {
            value() {
                document.adoptedStyleSheets = document.adoptedStyleSheets.filter(each => each !== sheet);
                Element.prototype.remove.call(element);
            },
        },
    });
}
function setAttribute(name, value) {
    if (name === 'style')
        this.style.cssText = value;
    else
        Element.prototype.setAttribute.call(this, name, value);
}
