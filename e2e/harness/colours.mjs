// Whether words can be read, as the browser computes the colours.

/**
 * For each element below `locator` that has words of its own: the words and their contrast (WCAG 2.2) against the nearest
 * opaque ground behind them. A page without one is taken for white.
 */
export function contrasts(locator) {
  return locator.evaluate((root) => {
    const brush = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
    /** Red, green, blue and alpha of any CSS colour, from 0 to 255. */
    const rgba = (colour) => {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = colour;
      brush.fillRect(0, 0, 1, 1);
      return [...brush.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (colour) => {
      const [red, green, blue] = colour.slice(0, 3).map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const around = (node) => node.parentElement ?? node.getRootNode().host;
    const ground = (element) => {
      for (let node = element; node; node = around(node)) {
        const colour = rgba(getComputedStyle(node).backgroundColor);
        if (colour[3] === 255) return colour;
      }
      return [255, 255, 255, 255];
    };
    const hasWords = (element) => element.getClientRects().length > 0
      && [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== '');
    return [...(root.shadowRoot ?? root).querySelectorAll('*:not(style)')].filter(hasWords).map((element) => {
      const words = luminance(rgba(getComputedStyle(element).color));
      const behind = luminance(ground(element));
      const contrast = (Math.max(words, behind) + 0.05) / (Math.min(words, behind) + 0.05);
      return { words: element.textContent.replace(/\s+/g, ' ').trim(), contrast: Math.round(contrast * 100) / 100 };
    });
  });
}

/** The alpha of an element's own background, from 0 to 1. */
export function backgroundAlpha(locator) {
  return locator.evaluate((element) => {
    const brush = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
    brush.fillStyle = getComputedStyle(element).backgroundColor;
    brush.fillRect(0, 0, 1, 1);
    return brush.getImageData(0, 0, 1, 1).data[3] / 255;
  });
}
