/** An API that asks for patience gets it, within bounds. */

/** Seconds; who asks for more is answered by the next run. */
const LONGEST = 20;
const ATTEMPTS = 3;

/** Seconds that an answer asks to wait before the same request again; undefined where it does not (RFC 9110, 10.2.3). */
export function retrySeconds(
  { status, headers }: Pick<Response, "status" | "headers">,
  now: number,
): number | undefined {
  const told = headers.get("retry-after");
  if ((status !== 429 && status !== 503) || told === null) return undefined;
  const seconds = /^\d+$/.test(told) ? Number(told) : (Date.parse(told) - now) / 1000;
  return Number.isNaN(seconds) || seconds > LONGEST ? undefined : Math.max(0, seconds);
}

/** @param send one attempt; every attempt has to mean the same */
export async function withPatience(send: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await send();
    const seconds = retrySeconds(response, Date.now());
    if (seconds === undefined || attempt === ATTEMPTS) return response;
    await response.body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}
