// Everything here only helps: each page works without it.
(() => {
  "use strict";
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const spanish = document.documentElement.lang.startsWith("es");

  const summary = document.querySelector("[data-foco]");
  if (summary) summary.focus();

  // An answer that asks nothing of the person goes back to the course at once.
  const answer = document.querySelector("form[data-enviar]");
  if (answer) answer.submit();

  // After signing out other systems are told in frames; then the way goes on, after three seconds at the latest.
  const way = document.querySelector("a[data-seguir]");
  if (way) {
    const go = () => location.replace(way.href);
    window.addEventListener("load", go);
    setTimeout(go, 3000);
  }

  // The clock of an open session runs by the server's time, whatever this device's clock says.
  const reloj = document.querySelector("[data-reloj]");
  if (reloj) {
    const skew = Number(reloj.dataset.ahora) * 1000 - Date.now();
    const digits = (ms) => {
      const minutes = Math.max(0, Math.floor(ms / 60000));
      return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
    };
    const notice = reloj.querySelector("[data-aviso]");
    const marks = [[1800, notice.dataset.media], [600, notice.dataset.aviso], [120, notice.dataset.aviso]];
    const limit = Number(reloj.dataset.limite) * 1000;
    let before = (limit - Date.now() - skew) / 1000;
    const tick = () => {
      const now = Date.now() + skew;
      const left = (limit - now) / 1000;
      reloj.querySelector("[data-lleva]").textContent = digits(now - Number(reloj.dataset.abierta) * 1000);
      reloj.querySelector("[data-quedan]").textContent = digits(limit - now);
      reloj.className = `reloj ${left > 1800 ? "verde" : left > 600 ? "ambar" : "rojo"}`;
      const passed = marks.find(([mark]) => before > mark && left <= mark);
      if (passed) notice.textContent = passed[1];
      before = left;
    };
    tick();
    setInterval(tick, 1000);
  }

  // A RUT is dotted and hyphened as one leaves the field.
  all("[data-rut]").forEach((input) => {
    input.addEventListener("change", () => {
      const bare = input.value.replace(/[^0-9kK]/g, "").toUpperCase();
      const number = bare.slice(0, -1);
      if (!/^[0-9]{1,8}$/.test(number)) return;
      input.value = number.replace(/\B(?=(\d{3})+$)/g, ".") + "-" + bare.slice(-1);
    });
  });

  // Comunas of the chosen region only.
  const region = document.querySelector("[data-region]");
  const comuna = document.querySelector("[data-comuna]");
  if (region && comuna) {
    const groups = all("optgroup", comuna);
    const narrow = () => {
      const name = region.selectedOptions[0].textContent;
      const chosen = region.value !== "";
      groups.forEach((group) => group.remove());
      groups.filter((group) => !chosen || group.label === name).forEach((group) => comuna.append(group));
      if (comuna.selectedIndex < 0) comuna.selectedIndex = 0;
    };
    region.addEventListener("change", narrow);
    narrow();
  }

  // Without a mobile there is no number to type.
  const none = document.querySelector("#id_no_mobile");
  const mobile = document.querySelector("#id_mobile");
  if (none && mobile) {
    const follow = () => { mobile.readOnly = none.checked; if (none.checked) mobile.value = ""; };
    none.addEventListener("change", follow);
    follow();
  }

  // Show and hide secrets.
  all("[data-secreto]").forEach((input) => {
    const button = document.createElement("button");
    const label = () => {
      const hidden = input.type === "password";
      button.textContent = spanish ? (hidden ? "Mostrar" : "Ocultar") : (hidden ? "Show" : "Hide");
    };
    button.type = "button";
    button.setAttribute("aria-controls", input.id);
    const holder = document.createElement("span");
    holder.className = "secreto";
    input.replaceWith(holder);
    holder.append(input, button);
    label();
    button.addEventListener("click", () => {
      input.type = input.type === "password" ? "text" : "password";
      label();
    });
  });

  // Rules of a new key are ticked off while typing.
  const key = document.querySelector("[data-reglas]");
  const tests = {
    length: (text) => /^[A-Za-zÑñ0-9]{8,10}$/.test(text),
    upper: (text) => (text.match(/[A-ZÑ]/g) || []).length >= 2,
    digits: (text) => (text.match(/[0-9]/g) || []).length >= 6,
    length_nist: (text) => text.length >= 15 && text.length <= 64,
    common: (text) => new Set(text).size > 3,
  };
  if (key) {
    key.addEventListener("input", () => all("[data-regla]").forEach((item) => {
      item.classList.toggle("cumple", tests[item.dataset.regla](key.value));
    }));
  }

  // The proof of work that makes the letters fewer (ALTCHA, version 2). Without it the page works all the same.
  const bytes = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
  const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const derive = async (wanted, password) => {
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const how = { name: "PBKDF2", hash: "SHA-256", salt: bytes(wanted.salt), iterations: wanted.cost };
    return hex(await crypto.subtle.deriveBits(how, key, wanted.keyLength * 8));
  };
  const solve = async (challenge) => {
    const wanted = challenge.parameters;
    const password = new Uint8Array([...bytes(wanted.nonce), 0, 0, 0, 0]);
    const counters = new DataView(password.buffer);
    for (let counter = 0; ; counter += 1) {
      counters.setUint32(password.length - 4, counter);
      const derivedKey = await derive(wanted, password);
      if (derivedKey.startsWith(wanted.keyPrefix)) return { challenge, solution: { counter, derivedKey } };
    }
  };
  const cheaper = async (ticket) => {
    const challenge = await (await fetch(`/captcha/${ticket}.json`)).json();
    const proof = encodeURIComponent(btoa(JSON.stringify(await solve(challenge))));
    return (await fetch(`/captcha/${ticket}/pagado?prueba=${proof}`)).json();
  };

  // A new image of letters without losing what was typed; the sound without leaving the page.
  all("[data-captcha]").forEach((box) => {
    const field = box.querySelector("[name=captcha_ticket]");
    const input = box.querySelector("[name=captcha]");
    const show = (ticket) => {
      box.querySelector("img").src = `/captcha/${ticket}.png`;
      box.querySelector("[data-escuchar]").href = `/captcha/${ticket}.wav`;
    };
    const pay = async () => {
      const ticket = field.value;
      if (!window.crypto || !crypto.subtle) return;
      try {
        const paid = await cheaper(ticket);
        if (field.value !== ticket) return;
        field.value = paid.ticket;
        if (paid.fewer && !input.value) show(paid.ticket);
      } catch (error) { /* the ticket stays as it is */ }
    };
    (box.closest("form") || box).addEventListener("focusin", pay, { once: true });
    box.querySelector("[data-refrescar]").addEventListener("click", async (event) => {
      event.preventDefault();
      const answer = await fetch("/captcha/nuevo");
      field.value = (await answer.json()).ticket;
      show(field.value);
      input.value = "";
      input.focus();
      pay();
    });
    box.querySelector("[data-escuchar]").addEventListener("click", (event) => {
      event.preventDefault();
      new Audio(event.currentTarget.href).play();
      input.focus();
    });
  });

  // One click, one form sent; the button says that it is working.
  all("[data-formulario]").forEach((form) => {
    const button = form.querySelector("button[data-ocupado]");
    const ready = button && button.textContent;
    let sent = false;
    form.addEventListener("submit", (event) => {
      if (sent) { event.preventDefault(); return; }
      if (event.submitter !== button && event.submitter) return;
      sent = true;
      button.textContent = button.dataset.ocupado;
      button.setAttribute("aria-disabled", "true");
    });
    window.addEventListener("pageshow", () => {
      sent = false;
      if (button) { button.textContent = ready; button.removeAttribute("aria-disabled"); }
    });
  });
})();
