/** Spends `token`: `{ outcome: "accepted" | "refused" | "unknown", reason }`. */
export async function validate(url, token) {
  const key = crypto.getRandomValues(new Uint32Array(4)).join("-"); // one for all tries
  const end = Date.now() + 15_000;
  let known = true;
  for (let pause of [1, 2, 3, 15]) {
    const options = { method: "POST", headers: { "Idempotency-Key": key }, body: JSON.stringify({ token }) };
    const limits = { redirect: "manual", credentials: "omit", signal: AbortSignal.timeout(3000) };
    try {
      const reply = await fetch(`${url}/validate`, { ...options, ...limits });
      const { isValid, reason } = await reply.json().catch(() => ({}));
      if (reply.status === 200 && isValid === true) return { outcome: "accepted" };
      const isRefusal = reply.status >= 400 && reply.status < 500 && reply.status !== 429;
      if (isRefusal) return known && reason && reply.status !== 403 ? { outcome: "refused", reason } : { outcome: "unknown" };
      if (reply.status !== 429) known = false; // the token may be spent; 429 did not reach the function
      if (/^\d+$/.test(reply.headers.get("Retry-After"))) pause = Number(reply.headers.get("Retry-After"));
    } catch {
      known = false; // no answer
    }
    if (Date.now() + (pause + 3) * 1000 > end) break;
    await new Promise((resolve) => setTimeout(resolve, pause * 1000));
  }
  return { outcome: "unknown" };
}
