// A page translator, as rude as they come: it takes text nodes out of the page and puts elements of its own in their place,
// also inside shadow roots, and minds no `translate="no"`.

const OWN = "FONT";

function textNodes(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.data.trim() && node.parentElement?.tagName !== OWN && !node.parentElement?.closest("style")) found.push(node);
  }
  return found;
}

/** Another amount: each digit is the next one. */
const another = (text) => text.replace(/\d/g, (digit) => (Number(digit) + 1) % 10);

function replace(node, rewrite) {
  const [outer, inner] = [document.createElement(OWN), document.createElement(OWN)];
  inner.textContent = rewrite ? another(node.data) : node.data;
  outer.append(inner);
  node.replaceWith(outer);
}

/** Replaces the nth text node under `root`, or all of them where `nth` is negative. Says whether there was one. */
export function translate(root, nth, rewrite) {
  const found = textNodes(root).filter((_, at) => nth < 0 || at === nth);
  for (const node of found) replace(node, rewrite);
  return found.length > 0;
}

/** Goes on replacing whatever is written, until the observer that it returns is disconnected. */
export function keep_translating(root, rewrite) {
  const observer = new MutationObserver(() => translate(root, -1, rewrite));
  observer.observe(root, { childList: true, characterData: true, subtree: true });
  translate(root, -1, rewrite);
  return observer;
}
