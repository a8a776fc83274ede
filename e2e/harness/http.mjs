// JSON over HTTP from the test's own side, with errors that say what was asked and answered.

/** Sends a request and returns `{status, body}`; the body is parsed when it is JSON. */
export async function call(method, url, { body, headers = {} } = {}) {
  const response = await fetch(url, {
    method,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  let parsed = text;
  if ((response.headers.get('content-type') ?? '').includes('json') && text !== '') parsed = JSON.parse(text);
  return { status: response.status, body: parsed };
}

/** As `call`, but anything except a 2xx is an error. Returns the body. */
export async function must(method, url, options) {
  const { status, body } = await call(method, url, options);
  if (status < 200 || status > 299) {
    throw new Error(`${method} ${url} answered ${status}: ${JSON.stringify(body).slice(0, 500)}`);
  }
  return body;
}
