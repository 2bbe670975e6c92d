// Where the answers are: asks again every 10 seconds and changes that part of the page alone, so
// that nobody loses their place. If asking fails, the page keeps saying what was last known.
"use strict";
(() => {
  const part = () => document.getElementById("told");
  const ask = async () => {
    if (document.hidden || !part()) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("told");
      // Another level is another page.
      if (fresh && fresh.dataset.level !== part().dataset.level) return location.reload();
      if (fresh && fresh.innerHTML !== part().innerHTML) part().innerHTML = fresh.innerHTML;
      if (fresh && !("watched" in fresh.dataset)) clearInterval(timer);
    } catch {
      // No signal: the next turn asks again.
    }
  };
  const timer = setInterval(ask, 10000);
  document.addEventListener("visibilitychange", ask);
})();
