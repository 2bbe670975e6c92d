// The phones of the demo update by themselves, but never while somebody writes or chooses.
"use strict";
setInterval(() => {
  const busy = [...document.querySelectorAll('input[name="body"]')].some((field) => field.value);
  const open = document.querySelector("details[open]");
  const writing = document.activeElement && document.activeElement.matches('input[name="body"]');
  if (!busy && !open && !writing && !document.hidden) location.reload();
}, 5000);
