// Offsets count Unicode code points (PROTOCOL 1); JavaScript's strings count UTF-16 units.

/** How many code points `text` has. */
export function countCodePoints(text) {
  let count = 0;
  for (let at = 0; at < text.length; at += unitsAt(text, at)) count += 1;
  return count;
}

/** `text` without its first `count` code points. */
export function dropCodePoints(text, count) {
  let at = 0;
  for (let dropped = 0; dropped < count && at < text.length; dropped += 1) at += unitsAt(text, at);
  return text.slice(at);
}

function unitsAt(text, at) {
  return text.codePointAt(at) > 0xffff ? 2 : 1;
}
