// The back office by keyboard, and passkeys. Without scripts the pages work, with password and code.
(() => {
  "use strict";
  const box = document.querySelector("[data-buscar]");
  const home = document.querySelector("[data-inicio]");
  const typing = (element) => /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && !typing(event.target)) {
      event.preventDefault();
      if (box) box.focus(); else if (home) home.click();
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const links = Array.from(document.querySelectorAll("[data-resultados] a"));
    if (!links.length || (typing(event.target) && event.target !== box)) return;
    event.preventDefault();
    const place = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    (links[Math.max(0, Math.min(place, links.length - 1))]).focus();
  });

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const listed = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));

  const made = (options) => navigator.credentials.create({ publicKey: {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: listed(options.excludeCredentials),
  } });
  const got = (options) => navigator.credentials.get({ publicKey: {
    ...options, challenge: bytes(options.challenge), allowCredentials: listed(options.allowCredentials),
  } });
  const packed = (credential) => {
    const { response } = credential;
    const parts = { clientDataJSON: text(response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) parts[name] = text(response[name]);
    }
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response: parts,
      clientExtensionResults: {},
    });
  };

  const place = document.querySelector("[data-llave]");
  if (place && window.PublicKeyCredential) {
    const form = place.closest("form") || document.querySelector("[data-formulario]");
    const creates = place.dataset.llave === "create";
    place.hidden = false;
    form.addEventListener("submit", async (event) => {
      if (form.elements.answer.value || (creates && !form.elements.label.value)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      try {
        const options = JSON.parse(place.dataset.opciones);
        form.elements.answer.value = packed(await (creates ? made(options) : got(options)));
        form.requestSubmit();
      } catch (error) {
        const failure = place.querySelector("[data-falla]");
        if (failure) failure.textContent = failure.dataset.falla; else form.submit();
      }
    }, true);
  }
})();
