// How elements are found in a page, as Playwright's locators find them: through open shadow roots, by part, role or text.

/** A text or a pattern in a form that can be sent to a page. */
export function wanted(text, exact = false) {
  if (text instanceof RegExp) return { source: text.source, flags: text.flags };
  return { text, exact };
}

/**
 * All elements that the steps lead to. Runs in the page. A step is `{css}`, `{role, name?}`, `{text}`, `{hasText}`, `{has}`
 * with steps of its own, `{visible: true}`, or `{nth}`, where -1 is the last.
 */
export function findAll(steps) {
  const ROLES = {
    button: 'button, [role=button], input[type=submit]',
    dialog: 'dialog[open], [role=dialog]',
    heading: 'h1, h2, h3, h4, h5, h6, [role=heading]',
    link: 'a[href], [role=link]',
    radio: 'input[type=radio], [role=radio]',
    spinbutton: 'input[type=number], [role=spinbutton]',
  };
  const flat = (text) => (text ?? '').replace(/\s+/g, ' ').trim();
  const matches = (text, { source, flags, text: words, exact }) => {
    if (source !== undefined) return new RegExp(source, flags).test(flat(text));
    return exact ? flat(text) === flat(words) : flat(text).toLowerCase().includes(flat(words).toLowerCase());
  };
  const visible = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility === 'visible';
  };
  /** Descendants, those in open shadow roots included, in the order of the page. */
  const descendants = (node) => [...(node.shadowRoot ? descendants(node.shadowRoot) : []), ...[...node.children].flatMap((child) => [child, ...descendants(child)])];
  const name = (element) => {
    const by = element.getAttribute('aria-labelledby')?.split(/\s+/).map((id) => element.getRootNode().getElementById(id)?.textContent);
    const labels = [...(element.labels ?? [])].map((label) => label.textContent);
    return element.getAttribute('aria-label') ?? (by ?? (labels.length > 0 ? labels : [element.textContent || element.value])).join(' ');
  };
  const step = (nodes, { css, role, name: called, text, hasText, has, visible: seen, nth }) => {
    const all = () => [...new Set(nodes.flatMap(descendants))];
    if (css !== undefined) {
      const found = all().filter((element) => element.matches(css.replaceAll(':visible', '')));
      return css.includes(':visible') ? found.filter(visible) : found;
    }
    if (role !== undefined) {
      return all().filter((element) => element.matches(ROLES[role]) && (called === undefined || matches(name(element), called)));
    }
    if (text !== undefined) {
      const having = all().filter((element) => !/^(SCRIPT|STYLE)$/.test(element.nodeName) && matches(element.textContent, text));
      return having.filter((element) => !having.some((other) => other !== element && element.contains(other)));
    }
    if (hasText !== undefined) return nodes.filter((element) => matches(element.textContent, hasText));
    if (has !== undefined) return nodes.filter((element) => has.reduce(step, [element]).length > 0);
    if (seen) return nodes.filter(visible);
    return [nodes.at(nth)].filter(Boolean);
  };
  return steps.reduce(step, [document]);
}
