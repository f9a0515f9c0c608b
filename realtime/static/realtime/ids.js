const MAX_COUNTER = 0xfff;
let lastTime = 0;
let counter = 0;

/**
 * A UUIDv7; ids made one after the other sort in that order.
 * Not `crypto.randomUUID`: browsers hide that on pages without TLS.
 */
export function uuid7(now = Date.now()) {
  tick(now);
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  bytes[0] = (bytes[0] & 0x3f) | 0x80;
  const time = hex(lastTime, 12);
  const tail = Array.from(bytes, (byte) => hex(byte, 2)).join("");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(counter, 3)}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}

function tick(now) {
  if (now > lastTime) {
    lastTime = now;
    counter = 0;
  } else if (counter < MAX_COUNTER) {
    counter += 1;
  } else {
    lastTime += 1;
    counter = 0;
  }
}

function hex(number, digits) {
  return number.toString(16).padStart(digits, "0");
}
