// A page translator, or another extension that writes on pages: it takes text nodes out and puts elements of its own in their
// place, also inside open shadow roots, and minds no `translate="no"`.

/** Replaces every text of these elements once, by the same words. Nothing that is looked at changes. */
export function translate(element) {
  return element.evaluateAll((hosts) => hosts.forEach((host) => {
    const walker = document.createTreeWalker(host.shadowRoot, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode);
    for (const node of found.filter(({ data, parentElement }) => data.trim() && parentElement.tagName !== 'FONT')) {
      const [outer, inner] = [document.createElement('font'), document.createElement('font')];
      inner.textContent = node.data;
      outer.append(inner);
      node.replaceWith(outer);
    }
  }));
}

/** From now on every digit that is written into these elements becomes another. */
export function rewriteNumbers(element) {
  return element.evaluateAll((hosts) => hosts.forEach((host) => {
    const rewrite = () => {
      const walker = document.createTreeWalker(host.shadowRoot, NodeFilter.SHOW_TEXT);
      const found = [];
      while (walker.nextNode()) found.push(walker.currentNode);
      for (const node of found.filter(({ data, parentElement }) => /\d/.test(data) && parentElement.tagName !== 'FONT')) {
        const own = document.createElement('font');
        own.textContent = node.data.replace(/\d/g, (digit) => (Number(digit) + 1) % 10);
        node.replaceWith(own);
      }
    };
    new MutationObserver(rewrite).observe(host.shadowRoot, { childList: true, characterData: true, subtree: true });
    rewrite();
  }));
}
