// Progressive enhancement: every page works without this.
(() => {
  "use strict";
  const seconds = Number(document.body.dataset.refresh);
  let waiting = 0;

  /** Fetches the page again and puts its live parts in place of the old ones. */
  async function refresh() {
    if (document.visibilityState !== "visible") return;
    try {
      const response = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
      if (response.redirected || response.status === 401) return location.reload();
      if (!response.ok) throw new Error(String(response.status));
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) {
        const next = fresh.getElementById(part.id);
        // Whoever is in the middle of it keeps what they have.
        if (!next || part.contains(document.activeElement) || next.innerHTML === part.innerHTML) continue;
        part.replaceChildren(...next.childNodes);
      }
      if (fresh.body.dataset.refresh === undefined) clearInterval(timer);
      waiting = 0;
    } catch {
      waiting++;
      document.body.classList.toggle("stale", waiting > 2);
    }
  }
  const timer = seconds > 0 ? setInterval(refresh, seconds * 1000) : 0;
  document.addEventListener("visibilitychange", () => seconds > 0 && refresh());

  document.addEventListener("submit", (event) => {
    const { confirm: question } = event.submitter?.dataset ?? {};
    if (question && !confirm(question)) return event.preventDefault();
    // A second click while the first is on its way would do it twice.
    const button = event.submitter;
    if (button && event.target.method === "post") setTimeout(() => button.disabled = true);
  });
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button[disabled]")) button.disabled = false;
  });
  // Figures that follow what somebody types.
  for (const output of document.querySelectorAll("output[data-count]")) {
    const fields = output.dataset.fields.split(" ").map((name) => output.closest("form").elements[name]);
    let latest = 0;
    for (const field of fields) {
      field.addEventListener("input", () => {
        const mine = ++latest;
        setTimeout(async () => {
          if (mine !== latest) return;
          const search = new URLSearchParams(fields.map(({ name, value }) => [name, value]));
          const response = await fetch(`${output.dataset.count}?${search}`, { cache: "no-store" });
          if (response.ok && !response.redirected && mine === latest) output.value = await response.text();
        }, 300);
      });
    }
  }
  for (const select of document.querySelectorAll("select[data-submit]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
})();
