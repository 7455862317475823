"use strict";
for (const map of document.querySelectorAll("figure.map")) {
  const picture = map.querySelector("svg[role=img]"), legends = [...map.querySelectorAll("ul.groups")];
  const spots = [...picture.querySelectorAll(".spot")].map(dot => {
    const place = dot.transform.baseVal.consolidate().matrix, title = dot.querySelector("title");
    const lines = title.textContent.split("\n");
    title.remove(); // the card shows it
    dot.setAttribute("aria-label", lines.join(", "));
    return {dot, x: place.e, y: place.f, lines};
  });
  const style = group => group < 0 ? "none" : "g" + group % 10;
  const shapes = ["M5 0A5 5 0 1 1-5 0A5 5 0 1 1 5 0Z", "M-5-5H5V5H-5Z", "M0-6L6 5H-6Z", "M0-7L6 0L0 7L-6 0Z"]; // as in scatter.py
  const card = map.appendChild(document.createElement("div"));
  card.className = "card";
  card.hidden = true;

  // What the colours stand for
  function colour(way) {
    for (const {dot} of spots) {
      const group = +dot.dataset[way];
      dot.setAttribute("class", "spot " + style(group));
      dot.setAttribute("d", shapes[Math.floor(Math.max(0, group) / 10) % shapes.length]);
    }
    for (const legend of legends) legend.hidden = legend.dataset.way !== way;
    for (const button of map.querySelectorAll("button")) button.setAttribute("aria-pressed", button.dataset.way === way);
  }
  if (legends.length > 1) {
    const choice = document.createElement("p");
    choice.className = "choice";
    choice.append("Colours: ");
    for (const legend of legends) {
      const button = choice.appendChild(document.createElement("button"));
      button.type = "button";
      button.dataset.way = button.textContent = legend.dataset.way;
      button.addEventListener("click", () => colour(legend.dataset.way));
    }
    map.prepend(choice);
    colour(legends[0].dataset.way);
  }
  for (const legend of legends)
    for (const item of legend.querySelectorAll("li[data-group]")) {
      const fade = on => spots.forEach(({dot}) =>
        dot.classList.toggle("faded", on && dot.dataset[legend.dataset.way] !== item.dataset.group));
      item.addEventListener("pointerenter", () => fade(true));
      item.addEventListener("pointerleave", () => fade(false));
    }

  // What the dot nearest to the pointer is
  function line(lines) {
    const known = lines.flat().filter(value => value !== null), low = Math.min(...known), high = Math.max(...known);
    const space = "http://www.w3.org/2000/svg", drawn = document.createElementNS(space, "svg");
    drawn.setAttribute("viewBox", "-2 -2 204 64");
    lines.forEach((values, index) => {
      let path = "", pen = "M";
      values.forEach((value, step) => {
        if (value === null) return pen = "M";
        const y = high > low ? 60 * (high - value) / (high - low) : 30;
        path += pen + (200 * step / (values.length - 1)).toFixed(1) + " " + y.toFixed(1);
        pen = "L";
      });
      const curve = drawn.appendChild(document.createElementNS(space, "path"));
      curve.setAttribute("class", "curve " + ["train", "held", "other"][index % 3]);
      curve.setAttribute("d", path);
    });
    return drawn;
  }
  let shown = null;
  function show(spot) {
    if (spot === shown) return;
    shown?.dot.classList.remove("chosen");
    shown = spot;
    card.hidden = !spot;
    if (!spot) return;
    spot.dot.classList.add("chosen");
    card.replaceChildren(...spot.lines.map((text, index) => {
      const part = document.createElement(index === 0 ? "strong" : index === spot.lines.length - 1 ? "small" : "span");
      part.dir = "auto";
      part.textContent = text;
      return part;
    }));
    if (spot.dot.dataset.curves) card.append(line(JSON.parse(spot.dot.dataset.curves)));
    const box = picture.getBoundingClientRect(), whole = map.getBoundingClientRect(), scale = box.width / picture.viewBox.baseVal.width;
    const x = box.left - whole.left + spot.x * scale, y = box.top - whole.top + spot.y * scale;
    card.style.left = Math.max(0, Math.min(x + 14, whole.width - card.offsetWidth)) + "px";
    card.style.top = (y + 14 + card.offsetHeight > whole.height ? y - 14 - card.offsetHeight : y + 14) + "px";
  }
  function near(event) {
    const box = picture.getBoundingClientRect(), scale = picture.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    let best = null, least = (28 * Math.max(1, scale)) ** 2;
    for (const spot of spots) {
      const far = (spot.x - x) ** 2 + (spot.y - y) ** 2;
      if (far < least) [best, least] = [spot, far];
    }
    show(best);
  }
  picture.addEventListener("pointermove", near);
  picture.addEventListener("pointerdown", near);
  picture.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") show(null); });
}
