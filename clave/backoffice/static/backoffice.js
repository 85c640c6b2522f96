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

  // A table is sorted by the column whose title is pressed; dates by their parts, figures as figures.
  const key = (text) => {
    const date = /^(\d\d)-(\d\d)-(\d{4})(.*)$/.exec(text);
    return date ? date[3] + date[2] + date[1] + date[4] : text;
  };
  const compare = (a, b) => key(a).localeCompare(key(b), document.documentElement.lang, { numeric: true });
  document.querySelectorAll(".tabla table").forEach((table) => {
    table.querySelectorAll("th:not([aria-hidden])").forEach((title) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "enlace";
      button.textContent = title.textContent;
      title.replaceChildren(button);
      button.addEventListener("click", () => {
        const up = title.getAttribute("aria-sort") !== "ascending";
        const rows = Array.from(table.tBodies[0].rows);
        const cell = (row) => (row.cells[title.cellIndex] ? row.cells[title.cellIndex].textContent.trim() : "");
        rows.sort((a, b) => (up ? 1 : -1) * compare(cell(a), cell(b))).forEach((row) => table.tBodies[0].append(row));
        table.querySelectorAll("th").forEach((each) => each.removeAttribute("aria-sort"));
        title.setAttribute("aria-sort", up ? "ascending" : "descending");
      });
    });
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
