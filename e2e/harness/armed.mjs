// A button that charges takes no press until a person can have read it. A buyer knows this by being slow; a test waits.

/** Longer than the widget's half second, since frames are coarse. */
const HUMAN_MS = 700;

/** Waits until the button is enabled and has stood on the screen long enough to be pressed. */
export async function armed(button) {
  await button.page().waitForFunction(
    ([element, human]) => {
      if (element.disabled || element.ariaDisabled === 'true') {
        delete element.e2eSeenAt;
        return false;
      }
      element.e2eSeenAt ??= performance.now();
      return performance.now() - element.e2eSeenAt > human;
    },
    [await button.elementHandle(), HUMAN_MS],
  );
}
