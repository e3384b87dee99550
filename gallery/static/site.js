// What the pages do beyond links and forms. Each works without it: pictures stand still, and text is copied by hand.
"use strict";

const STAYS = 6000; // milliseconds that a toast is seen
document.documentElement.classList.add("scripted");

// A preview that moves is fetched when somebody points at its card, and stands still again when they leave.
function play(piece, on) {
  const picture = piece.querySelector("img[data-moving]");
  if (!picture || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  if (!picture.dataset.still) picture.dataset.still = picture.getAttribute("src");
  const wanted = on ? picture.dataset.moving : picture.dataset.still;
  if (picture.getAttribute("src") === wanted) return;
  if (!on) {
    picture.src = wanted;
    return;
  }
  const moving = new Image(); // shown when it is there as a whole, so that nothing flickers
  moving.onload = () => { if (piece.matches(":hover, :focus-within")) picture.src = wanted; };
  moving.src = wanted;
}

for (const [event, on] of [["pointerover", true], ["pointerout", false], ["focusin", true], ["focusout", false]]) {
  document.addEventListener(event, (happened) => {
    const piece = happened.target.closest?.(".piece");
    if (piece && !(happened.relatedTarget && piece.contains(happened.relatedTarget))) play(piece, on);
  });
}

function tellToast(text) {
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.textContent = text;
  document.getElementById("toasts").append(toast);
}

function fade(toast) {
  if (toast.getAttribute("role") !== "alert") setTimeout(() => toast.remove(), STAYS);
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    tellToast(`${button.dataset.what} copied.`);
  } catch {
    tellToast("Your browser does not let this page copy.");
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

function begin() {
  const toasts = document.getElementById("toasts");
  toasts.querySelectorAll(".toast").forEach(fade);
  new MutationObserver((changes) => {
    for (const change of changes) change.addedNodes.forEach((node) => node.classList?.contains("toast") && fade(node));
  }).observe(toasts, { childList: true });
  const address = new URL(location.href); // what was done is said once, and not again at each reload
  if (address.searchParams.delete("done") === undefined && address.href !== location.href) {
    history.replaceState(history.state, "", address);
  }
}

begin();
