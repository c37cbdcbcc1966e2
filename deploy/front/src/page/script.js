// Keeps the states on the page fresh, and puts a button on every block of commands. The page says all it has to say
// without this.
"use strict";

const INTERVAL_MS = 5000;

function show(status) {
  document.getElementById("demo").textContent = status.demo;
  for (const { name, state, detail } of status.parts) {
    const item = document.getElementById("part-" + name);
    if (item === null) continue;
    item.dataset.state = state;
    item.querySelector(".state").textContent = state;
    item.querySelector(".detail").textContent = detail;
  }
  const time = new Date().toLocaleTimeString();
  document.getElementById("checked").textContent = "Looked at " + time + ", and again every few seconds.";
}

async function refresh() {
  try {
    const answer = await fetch("/status", { cache: "no-store", signal: AbortSignal.timeout(INTERVAL_MS) });
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.json());
  } catch {
    document.getElementById("checked").textContent = "This page's own server is away; what is shown is old.";
  }
  setTimeout(refresh, INTERVAL_MS);
}

function offerCopy(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  block.append(button);
}

// Browsers lend the clipboard to pages from this machine or over TLS only.
if (navigator.clipboard) document.querySelectorAll("pre").forEach(offerCopy);
refresh();
