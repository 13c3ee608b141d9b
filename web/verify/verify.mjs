// Verifies a postback's signature, of any body and of a GET.
import { createHmac, timingSafeEqual } from "node:crypto";

const secret = "whsec_YOUR_SECRET";

// The headers webhook-id, webhook-timestamp and webhook-signature, and the body as it came: a Buffer, not what was parsed of it.
export function verify(id, timestamp, signatures, body) {
  if (!(Math.abs(Date.now() / 1000 - timestamp) <= 300)) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const mine = Buffer.from("v1," + createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64"));
  return signatures.split(" ").map((one) => Buffer.from(one)).some((one) => one.length === mine.length && timingSafeEqual(one, mine));
}
