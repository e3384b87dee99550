// Live news of one's jobs, and confirmations as dialogs. Without it the pages show the same at each reload.
"use strict";

const AGAIN = 3000; // milliseconds until a stream is opened again that the server refused

function tell(news) {
  const state = document.getElementById(`job-${news.job}-state`);
  const detail = document.getElementById(`job-${news.job}-detail`);
  if (!state || !detail) return;
  if (state.textContent !== news.state) state.textContent = news.state;
  if (!news.keeps) detail.innerHTML = news.detail; // made by our own templates, which escape
  if (news.ended) document.getElementById(`job-${news.job}-acts`)?.remove();
}

function follow(box) {
  const source = new EventSource(box.dataset.news);
  source.addEventListener("news", (event) => tell(JSON.parse(event.data)));
  source.addEventListener("end", () => source.close());
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => follow(box), AGAIN);
  });
}

async function ask(link) {
  const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
  const room = document.getElementById("dialog");
  if (!answer.ok || answer.status === 204 || !room) {
    location.assign(link.href);
    return;
  }
  room.innerHTML = await answer.text();
  const dialog = room.querySelector("dialog");
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => { room.replaceChildren(); link.focus(); });
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  ask(link);
});
document.querySelectorAll("[data-news]").forEach(follow);
