/* Elements of the page. Texts are only ever set as text. */

const byId = (id) => document.getElementById(id);

function element(tag, attributes = {}, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** An element of an SVG picture. */
function drawing(tag, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

function swatch(hex) {
  const made = element("span", { class: "swatch", "aria-hidden": "true" });
  made.style.background = hex;
  return made;
}

/** A mark of the picture, as a character. */
function sign(character, hex) {
  const made = element("span", { class: "sign", "aria-hidden": "true" }, [character]);
  made.style.color = hex;
  return made;
}

/** Fill a select with value -> label, and follow it. */
function choices(id, options, value, changed) {
  const select = byId(id);
  select.replaceChildren(...Object.entries(options).map(([key, label]) => element("option", { value: key }, [label])));
  select.value = value;
  select.addEventListener("change", () => changed(select.value));
  return select;
}

/** What a run of the page is called in a sentence. */
function nameOf(number) {
  const { name } = HEADER.runs[number];
  return HEADER.other && !HEADER.other.twin ? name : `the ${name}`;
}

/** A day for reading. */
function dayText(day) {
  const years = day / HEADER.days_per_year;
  return years < 1 ? `day ${day}` : `day ${day} (${years.toFixed(1)} years)`;
}

function notice(text) {
  byId("failure").hidden = false;
  byId("failure").textContent = text;
}

function fail(error) {
  notice(`This page could not be drawn: ${error && error.message ? error.message : error}`);
  document.body.dataset.failed = "true";
}
