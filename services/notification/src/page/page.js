// One person's notifications over either transport, from one place of one sequence. Whatever comes from the services is
// shown as text, never as markup.
"use strict";

const COME_BACK_MS = 3000;
const SHOWN = 50;
// Closing codes below 4500 after which coming back would meet the same end.
const HOPELESS = [1002, 1003, 1007, 1008, 1009];
const NAMES = { sse: "Server-Sent Events", websocket: "WebSocket" };

const byId = (id) => document.getElementById(id);
const userService = document.body.dataset.userService;

// Kept in this page alone.
let tokens = null;
// `turn` counts connections: what an older one still says is not listened to.
let line = null;
const inbox = new Map();

function say(text) {
  byId("told").textContent = text;
}

function show(state) {
  byId("state").textContent = state;
  byId("state").dataset.state = state;
  byId("drop").textContent = ["dropped", "refused"].includes(state) ? "Resume" : "Drop the connection";
  byId("place").textContent = line.place ?? "none";
  byId("gaps").textContent = line.gaps;
  byId("repeats").textContent = line.repeats;
  byId("unread").textContent = line.count.capped ? line.count.unread + "+" : line.count.unread;
  byId("empty").hidden = inbox.size > 0;
}

function wrote(text) {
  const item = document.createElement("li");
  item.textContent = text;
  byId("wire").prepend(item);
  while (byId("wire").children.length > SHOWN) byId("wire").lastChild.remove();
}

// Sessions.

async function post(url, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await reason(answer));
  return answer.status === 204 ? null : answer.json();
}

async function reason(answer) {
  const problem = await answer.json().catch(() => ({}));
  return problem.detail ?? problem.title ?? "answered " + answer.status;
}

async function call(method, path) {
  const ask = () => fetch(path, { method, headers: { authorization: "Bearer " + tokens.access_token } });
  let answer = await ask();
  if (answer.status === 401 && tokens.refresh_token) {
    const { refresh_token } = tokens;
    tokens = await post(userService + "/auth/refresh", { refresh_token });
    answer = await ask();
  }
  if (!answer.ok) throw Object.assign(new Error(await reason(answer)), { status: answer.status });
  return answer.json();
}

function enter(session) {
  tokens = session;
  line = {
    transport: document.querySelector("input[name=transport]:checked").value,
    turn: 0, close: null, timer: null, work: Promise.resolve(),
    place: null, head: 0, missed: 0, gaps: 0, repeats: 0, count: { unread: 0, capped: false },
  };
  byId("door").hidden = true;
  byId("room").hidden = false;
  connect();
}

function leave(words) {
  hangUp("off");
  const { refresh_token } = tokens;
  if (refresh_token) post(userService + "/auth/logout", { refresh_token }).catch(() => {});
  tokens = null;
  inbox.clear();
  byId("inbox").replaceChildren();
  byId("wire").replaceChildren();
  byId("room").hidden = true;
  byId("door").hidden = false;
  byId("email").focus();
  say(words);
}

// The connection.

function hangUp(state) {
  line.turn += 1;
  clearTimeout(line.timer);
  line.close?.();
  line.close = null;
  byId("transport").textContent = "none";
  show(state);
}

async function connect() {
  hangUp("connecting");
  const turn = line.turn;
  try {
    const { ticket } = await call("POST", "/stream-tickets");
    if (turn === line.turn) (line.transport === "sse" ? openEvents : openSocket)(turn, ticket);
  } catch (error) {
    if (turn !== line.turn) return;
    if (error.status === 401) leave("The session has ended: " + error.message);
    else comeBack(error.message);
  }
}

function comeBack(why, wait = COME_BACK_MS) {
  hangUp("waiting");
  say("The connection is lost (" + why + "); it is taken up again by itself.");
  line.timer = setTimeout(connect, wait);
}

// In the order in which it came, each message when the one before has had its effect.
function take(turn, effect) {
  line.work = line.work.then(() => (turn === line.turn ? effect() : null)).catch((error) => say(error.message));
}

function openEvents(turn, ticket) {
  const query = new URLSearchParams({ ticket });
  if (line.place !== null) query.set("last_event_id", line.place);
  const source = new EventSource("/sse/notifications?" + query);
  line.close = () => source.close();
  const on = (name, effect) => source.addEventListener(name, (event) => {
    take(turn, () => effect(JSON.parse(event.data), Number(event.lastEventId)));
  });
  on("sync", (sync, place) => begin("sync", sync, place));
  on("notification", notified);
  on("change", changed);
  on("bye", ({ reason }) => wrote("sse: bye, " + reason));
  // A ticket counts once: the browser's own second try would be refused.
  source.onerror = () => {
    source.close();
    take(turn, () => comeBack("the stream has ended"));
  };
}

function openSocket(turn, ticket) {
  const url = location.origin.replace(/^http/, "ws") + "/ws/notifications?" + new URLSearchParams({ ticket });
  const socket = new WebSocket(url);
  let wait = COME_BACK_MS;
  line.close = () => socket.close();
  socket.onopen = () => socket.send(JSON.stringify({ type: "hello", last_seq: line.place }));
  socket.onmessage = (event) => take(turn, () => {
    const message = JSON.parse(event.data);
    if (message.type === "welcome") return begin("welcome", message, message.seq);
    if (message.type === "notification") return notified(message);
    if (message.type === "change") return changed(message);
    wait = message.retry_ms ?? wait;
    wrote("websocket: " + message.type + ", " + (message.reason ?? message.code));
  });
  socket.onclose = ({ code, reason }) => take(turn, () => {
    const isHopeless = code >= 4500 || HOPELESS.includes(code);
    if (!isHopeless) return comeBack(code + (reason && " " + reason), wait);
    hangUp("refused");
    say("The server wants no more of this: " + code + " " + reason);
  });
}

// The sequence.

async function begin(word, { recovered, head_seq, unread, capped }, place) {
  wrote(line.transport + ": " + word + ", place " + place + (recovered ? ", recovered" : ", from the head"));
  byId("transport").textContent = NAMES[line.transport];
  line.head = head_seq;
  line.count = { unread, capped };
  line.missed = recovered ? head_seq - place : 0;
  if (!recovered) {
    line.place = place;
    await readInbox();
    say("Listening over " + NAMES[line.transport] + " from place " + place + ".");
  } else if (line.missed === 0) {
    say("Back over " + NAMES[line.transport] + " at place " + place + ": nothing was missed.");
  }
  show("live");
}

async function readInbox() {
  const { items } = await call("GET", "/notifications?limit=" + SHOWN);
  inbox.clear();
  byId("inbox").replaceChildren();
  for (const notification of items.reverse()) put(notification);
}

// Whether it is new; counts what is not the next place.
function arrive(seq, words) {
  wrote(line.transport + ": " + seq + ", " + words);
  if (seq <= line.place) {
    line.repeats += 1;
    return false;
  }
  line.gaps += seq - line.place - 1;
  line.place = seq;
  return true;
}

function caughtUp() {
  if (line.missed > 0 && line.place >= line.head) {
    const clean = line.gaps + line.repeats === 0;
    say("Back over " + NAMES[line.transport] + ": missed " + line.missed + ", caught up to place " + line.place +
      (clean ? ", no gap, no repeat." : ", with gaps or repeats."));
    line.missed = 0;
  }
  show("live");
}

function notified(notification) {
  if (arrive(notification.seq, notification.kind)) {
    // Up to the head it was counted at the beginning.
    const counts = notification.seq > line.head && !notification.read_at && !line.count.capped;
    if (counts) line.count.unread += 1;
    if (line.missed === 0) say("New: " + notification.title);
    put(notification);
  }
  caughtUp();
}

function changed({ change, seq, id, up_to, count }) {
  if (arrive(seq, change)) {
    if (count) line.count = count;
    const now = new Date().toISOString();
    for (const known of [...inbox.values()]) {
      if (change === "read_all" ? known.seq > up_to : known.id !== id) continue;
      if (["archived", "deleted", "gone"].includes(change)) remove(known);
      else put({ ...known, read_at: change === "unread" ? null : known.read_at ?? now });
    }
  }
  caughtUp();
}

// The list.

function remove({ id }) {
  inbox.delete(id);
  byId("notification-" + id)?.remove();
}

function put(notification) {
  const { id, seq, kind, title, body, created_at, read_at } = notification;
  inbox.set(id, notification);
  let item = byId("notification-" + id);
  if (item === null) {
    item = document.createElement("li");
    item.id = "notification-" + id;
    item.append(...["h3", "p", "p", "button"].map((name) => document.createElement(name)));
    const button = item.querySelector("button");
    button.type = "button";
    button.className = "quiet";
    button.addEventListener("click", () => toggle(id));
    const next = [...byId("inbox").children].find((other) => Number(other.dataset.seq) < seq);
    byId("inbox").insertBefore(item, next ?? null);
  }
  const [heading, text, meta, button] = item.children;
  item.dataset.seq = seq;
  item.dataset.unread = read_at === null;
  heading.textContent = title;
  text.textContent = body;
  meta.className = "meta";
  meta.textContent = "#" + seq + " · " + kind + " · " + new Date(created_at).toLocaleTimeString();
  button.textContent = read_at === null ? "Mark as read" : "Mark as unread";
  button.setAttribute("aria-label", button.textContent + ": " + title);
  while (inbox.size > SHOWN) remove([...inbox.values()].reduce((one, other) => (one.seq < other.seq ? one : other)));
}

// The stream tells what becomes of it, here as on every other screen of the person.
async function toggle(id) {
  const action = inbox.get(id).read_at === null ? "read" : "unread";
  try {
    await call("POST", "/notifications/" + id + "/" + action);
  } catch (error) {
    say(error.message);
  }
}

byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const credentials = { email: byId("email").value, password: byId("password").value };
  try {
    const session = await post(userService + "/auth/login", credentials);
    byId("password").value = "";
    enter(session);
  } catch (error) {
    const isUnheard = error instanceof TypeError;
    say(isUnheard ? userService + " is away, or lets no page of " + location.origin + " ask (http.allowed_origins)."
      : error.message);
  }
});
byId("bring").addEventListener("submit", (event) => {
  event.preventDefault();
  enter({ access_token: byId("token").value.trim() });
  byId("token").value = "";
});
byId("drop").addEventListener("click", () => {
  if (["dropped", "refused"].includes(byId("state").dataset.state)) return connect();
  hangUp("dropped");
  say("Dropped at place " + (line.place ?? "none") + ". What is told now waits for you.");
});
byId("leave").addEventListener("click", () => leave("Signed out."));
for (const choice of document.querySelectorAll("input[name=transport]")) {
  choice.addEventListener("change", () => {
    line.transport = choice.value;
    if (byId("state").dataset.state !== "dropped") connect();
  });
}
