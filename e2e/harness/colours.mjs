// Whether words can be read, as the browser computes the colours.

/**
 * For each element below `locator` that has words of its own: the words and their contrast (WCAG 2.2) against the nearest
 * opaque ground behind them. A page without one is taken for white.
 */
export function contrasts(locator) {
  return locator.evaluate((root) => {
    /** Red, green, blue and alpha, from 0 to 1, of "rgb(…)" or "rgba(…)", as browsers write plain colours, or of "color(srgb …)",
     * as they write mixed ones. */
    const channels = (colour) => {
      const mixed = /^color\(srgb ([\d.]+) ([\d.]+) ([\d.]+)(?: \/ ([\d.]+))?\)$/.exec(colour);
      if (mixed) return mixed.slice(1).map((share) => Number(share ?? 1));
      if (!/^rgba?\(/.test(colour)) throw new Error(`cannot read the colour ${colour}`);
      const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
      return [red / 255, green / 255, blue / 255, alpha];
    };
    const luminance = (colour) => {
      const [red, green, blue] = channels(colour).slice(0, 3).map((share) =>
        share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const around = (node) => node.parentElement ?? node.getRootNode().host;
    const ground = (element) => {
      for (let node = element; node; node = around(node)) {
        const { backgroundColor } = getComputedStyle(node);
        if (channels(backgroundColor)[3] === 1) return backgroundColor;
      }
      return 'rgb(255, 255, 255)';
    };
    // What is for assistive technology alone takes a pixel.
    const isSeen = ({ width, height }) => width > 1 && height > 1;
    const hasWords = (element) => isSeen(element.getBoundingClientRect())
      && [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
    return [...(root.shadowRoot ?? root).querySelectorAll('*:not(style)')].filter(hasWords).map((element) => {
      const words = luminance(getComputedStyle(element).color);
      const behind = luminance(ground(element));
      const contrast = (Math.max(words, behind) + 0.05) / (Math.min(words, behind) + 0.05);
      return { words: element.textContent.replace(/\s+/g, ' ').trim(), contrast: Math.round(contrast * 100) / 100 };
    });
  });
}

/** Whether an element has a plain background through which nothing shows. Browsers write an alpha only where it is not 1. */
export function isOpaque(locator) {
  return locator.evaluate((element) => /^(rgb\(\d+, \d+, \d+|color\(srgb( [\d.]+){3})\)$/.test(getComputedStyle(element).backgroundColor));
}
