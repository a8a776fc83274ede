// A button that charges takes no press until a person can have read it. A buyer knows this by being slow; a test waits.

/** Longer than the widget's half second, since frames are coarse. */
const HUMAN_MS = 700;

/** Waits until the button is enabled and has stood on the screen long enough to be pressed. */
export async function armed(button) {
  const handle = await button.elementHandle();
  const frame = await handle.ownerFrame();
  await frame.waitForFunction(
    ([element, human]) => {
      const live = !element.disabled && element.ariaDisabled !== 'true';
      const stands = `${live} ${element.textContent}`;
      // Other words, another half second: a new amount has to be read too.
      if (element.e2eStands !== stands) Object.assign(element, { e2eStands: stands, e2eSince: performance.now() });
      return live && performance.now() - element.e2eSince > human;
    },
    [handle, HUMAN_MS],
  );
}
