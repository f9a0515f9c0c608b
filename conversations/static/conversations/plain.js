// Letters, numbers, spaces and what stands between sentences. Nothing that Markdown reads as anything but itself; at
// the beginning that includes "1." and "-".
const PLAIN = /^(?!\p{N}+[.)])[\p{L}\p{N}][\p{L}\p{M}\p{N}\p{Extended_Pictographic}\u200d\ufe0f ,;:.?!'"()%€$£…–—’“”，。？！、：；（）「」《》-]*$/u;

/** Whether the server would show a text as one paragraph that holds the same text. */
export function isPlain(text) {
  return PLAIN.test(text) && !text.endsWith(" ");
}
