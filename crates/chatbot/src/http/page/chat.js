// The page of the chat. A message that was cut off is sent again with its key, so that it is done
// once, however often that happens, and even if the page is loaded anew meanwhile.
"use strict";

const page = document.getElementById("page");
const log = document.getElementById("log");
const form = document.getElementById("form");
const box = document.getElementById("message");
const send = document.getElementById("send");

const TRIES = 5;
const AGAIN = [409, 429, 502, 503, 504];
const MOST_TURNS = 100;

// What outlives loading the page anew: the session, what was said, and the message that has no
// answer yet, with its key.
const nothing = () => ({ session: null, turns: [], open: null });
let chat = remembered();
let asking = null;

function remembered() {
  try {
    return { ...nothing(), ...JSON.parse(sessionStorage.getItem("chat")) };
  } catch {
    return nothing();
  }
}

function remember() {
  chat.turns = chat.turns.slice(-MOST_TURNS);
  try {
    sessionStorage.setItem("chat", JSON.stringify(chat));
  } catch {
    // Where nothing may be kept, the page forgets when it is loaded anew.
  }
}

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return "web-" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Whoever has scrolled up to read is left there.
function following(change) {
  const follows = page.scrollHeight - page.scrollTop - page.clientHeight < 100;
  change();
  if (follows) page.scrollTop = page.scrollHeight;
}

function turn({ kind, text, notes }) {
  const element = document.createElement("div");
  const words = document.createElement("span");
  element.className = "turn " + kind;
  words.textContent = text;
  element.append(words);
  log.append(element);
  note(element, notes);
  page.scrollTop = page.scrollHeight;
  return { element, words };
}

// The one note of a turn; none without a text.
function note(element, text) {
  following(() => {
    element.querySelector(".notes")?.remove();
    if (!text) return;
    const notes = document.createElement("p");
    notes.className = "notes";
    notes.textContent = text;
    element.append(notes);
  });
}

// As in "From returns.md: Unused goods · Refunds; faq.md: Parking".
function sources(citations) {
  const sections = new Map();
  for (const { source, section } of citations) {
    sections.set(source, [...(sections.get(source) || []), section]);
  }
  const told = Array.from(sections, ([source, names]) => source + ": " + names.join(" · "));
  return told.length ? "From " + told.join("; ") : "";
}

// Cuts a stream into events: blocks of lines with a blank line behind.
async function* events(response) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const event = { name: "message", data: "", id: "" };
      for (const line of text.slice(0, end).split("\n")) {
        if (line.startsWith("event: ")) event.name = line.slice(7);
        if (line.startsWith("data: ")) event.data += line.slice(6);
        if (line.startsWith("id: ")) event.id = line.slice(4);
      }
      text = text.slice(end + 2);
      if (event.data) yield event;
    }
  }
}

const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

// Sends a message until it is answered or refused. `show` gets a part of the answer with the number
// of characters up to its end, and `tell` why it takes longer.
async function ask({ key, message }, signal, show, tell) {
  const body = { message };
  if (chat.session) body.session_id = chat.session;
  let last = "0";
  for (let attempt = 1; ; attempt++) {
    let wait = Math.min(2 ** attempt, 20) * (1 + Math.random() / 2);
    let why = "The answer broke off.";
    let outcome = null;
    try {
      const response = await fetch("/api/chatbot/stream", {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key, "Last-Event-ID": last },
        body: JSON.stringify(body),
        signal,
      });
      if (response.ok) {
        tell("");
        // Read to its end, so that the connection serves the next message too.
        for await (const event of events(response)) {
          const data = JSON.parse(event.data);
          if (event.name === "token") show(data.text, Number((last = event.id)));
          if (event.name === "done") outcome = { answer: data };
          if (event.name === "error" && AGAIN.includes(data.status)) why = data.detail;
          else if (event.name === "error") outcome = { problem: data };
        }
      } else if (AGAIN.includes(response.status)) {
        wait = Number(response.headers.get("Retry-After")) || wait;
        why = "There is too much to do at the moment.";
        why = (await response.json()).detail;
      } else {
        outcome = { problem: await response.json() };
      }
    } catch (error) {
      if (error instanceof TypeError) why = "The server cannot be reached.";
    }
    if (outcome || signal.aborted) return outcome;
    if (attempt >= TRIES) return { problem: { detail: why } };
    tell("This takes longer than usual. It is tried again, and done once.");
    await pause(wait);
    if (signal.aborted) return null;
  }
}

function said(problem) {
  if (problem.errors) return "Your message was not taken: " + problem.errors.map((field) => field.detail).join("; ");
  if (problem.status === 403) return "This conversation is over. Send your message again to begin a new one.";
  return problem.detail;
}

// Asks what is open, and shows what comes.
async function go() {
  const open = chat.open;
  const { signal } = (asking = new AbortController());
  send.disabled = true;
  const { element, words } = turn({ kind: "theirs", text: "" });
  element.setAttribute("aria-busy", "true");
  // A new server may begin from the start, so that a part says itself where it belongs.
  const show = (text, end) => following(() => {
    const known = Array.from(words.textContent).slice(0, end - Array.from(text).length);
    words.textContent = known.join("") + text;
  });
  const told = await ask(open, signal, show, (why) => note(element, why));
  if (signal.aborted) return;
  asking = null;
  element.removeAttribute("aria-busy");
  send.disabled = false;
  if (told.problem) {
    const why = said(told.problem);
    element.classList.add("failed");
    following(() => (words.textContent = words.textContent || why));
    note(element, words.textContent === why ? "" : why);
    box.value = box.value || open.message;
    if (told.problem.status === 403) chat.session = null;
    // If it was done after all, the same message gets its answer, by the same key.
    chat.open = { ...open, failed: true };
  } else {
    const { session_id, message, citations } = told.answer;
    following(() => (words.textContent = message));
    note(element, sources(citations));
    chat.session = session_id;
    chat.turns.push({ kind: "theirs", text: message, notes: sources(citations) });
    chat.open = null;
  }
  remember();
  // A button that was disabled has lost the focus; a keyboard on a small screen stays away.
  if (document.activeElement === document.body && matchMedia("(hover: hover)").matches) box.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const message = box.value;
  if (!message.trim() || asking) return;
  box.value = "";
  const again = chat.open && chat.open.message === message;
  chat.open = { key: again ? chat.open.key : newKey(), message };
  if (!again) chat.turns.push({ kind: "mine", text: message });
  remember();
  turn({ kind: "mine", text: message });
  go();
});

box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});

for (const example of document.querySelectorAll("#hint button")) {
  example.addEventListener("click", () => {
    box.value = example.textContent;
    box.focus();
  });
}

document.getElementById("new").addEventListener("click", () => {
  asking?.abort();
  asking = null;
  send.disabled = false;
  chat = nothing();
  remember();
  log.replaceChildren();
  box.focus();
});

for (const before of chat.turns) turn(before);
if (chat.open?.failed) box.value = chat.open.message;
else if (chat.open) go();
if (matchMedia("(hover: hover)").matches) box.focus();
