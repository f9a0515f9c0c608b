/**
 * @typedef {object} Transport  What a connection needs of the wire. SSE + POST can be another one.
 * @property {(text: string) => void} send
 * @property {() => void} close  After it no callback is called any more.
 *
 * @typedef {object} TransportCallbacks
 * @property {() => void} onOpen
 * @property {(text: unknown) => void} onMessage
 * @property {(code: number) => void} onClose  Once; also where opening failed.
 */

/**
 * @param {typeof WebSocket} Socket
 * @returns {(url: string, callbacks: TransportCallbacks) => Transport}
 */
export function webSocketTransport(Socket) {
  return (url, { onOpen, onMessage, onClose }) => {
    const socket = new Socket(url);
    socket.onopen = () => onOpen();
    socket.onmessage = (event) => onMessage(event.data);
    socket.onclose = (event) => onClose(event.code);
    socket.onerror = () => {}; // a close event follows
    return {
      send: (text) => socket.send(text),
      close: () => {
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
      },
    };
  };
}

/** The absolute ws(s) address of `url`, which may be relative to the page. */
export function webSocketUrl(url, base = globalThis.location?.href) {
  const absolute = new URL(url, base);
  absolute.protocol = absolute.protocol.replace(/^http/, "ws");
  return absolute.href;
}
