// Progressive enhancement of the checkout page: another billing country means another tax, so the summary and the
// button are fetched anew and the button waits meanwhile.
const country = document.querySelector('select[name=country]');
const priced = document.querySelector('input[name=priced_for]');
const pay = document.querySelector('#pay');
country?.addEventListener('change', async () => {
  if (!document.querySelector('#summary') || country.value === priced.value) return;
  pay.disabled = true;
  try {
    const address = new URL(location.pathname, location.origin);
    address.searchParams.set('country', country.value);
    const text = await (await fetch(address)).text();
    const fresh = new DOMParser().parseFromString(text, 'text/html');
    document.querySelector('#summary').replaceWith(fresh.querySelector('#summary'));
    pay.textContent = fresh.querySelector('#pay').textContent;
    priced.value = fresh.querySelector('input[name=priced_for]').value;
  } finally {
    pay.disabled = false;
  }
});
