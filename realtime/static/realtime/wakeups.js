/**
 * Calls `wake` when the network is back or the page is looked at again (PROTOCOL 4 "Reconnecting client"); also when
 * the browser says that it is gone, so that a connection that no longer carries anything is found out in seconds.
 */
export function watchPage({ window, document }, wake) {
  const onVisible = () => document.visibilityState === "visible" && wake();
  window?.addEventListener("online", wake);
  window?.addEventListener("offline", wake);
  window?.addEventListener("pageshow", wake);
  document?.addEventListener("visibilitychange", onVisible);
  return () => {
    window?.removeEventListener("online", wake);
    window?.removeEventListener("offline", wake);
    window?.removeEventListener("pageshow", wake);
    document?.removeEventListener("visibilitychange", onVisible);
  };
}
