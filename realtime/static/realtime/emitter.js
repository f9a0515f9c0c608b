/** EventTarget whose events carry their content in `detail`. */
export class Emitter extends EventTarget {
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** `addEventListener` without the envelope. Returns a function that takes the listener off again. */
  on(type, listener) {
    const unwrap = (event) => listener(event.detail);
    this.addEventListener(type, unwrap);
    return () => this.removeEventListener(type, unwrap);
  }
}
