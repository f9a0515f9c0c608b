// Says so where a key or passkey could not be used; what allauth's script throws would only stand in the console.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  document.getElementById("key-problem").hidden = false;
});
