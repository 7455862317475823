"use strict";
for (const figure of document.querySelectorAll("figure.cell")) {
  const frames = [...figure.querySelectorAll(".frame")];
  if (frames.length < 2) continue;
  const controls = document.createElement("p"), place = document.createElement("span");
  controls.className = "choice";
  place.setAttribute("aria-live", "polite");
  let shown = 0;
  function show(index) {
    shown = Math.max(0, Math.min(frames.length - 1, index));
    frames.forEach((frame, number) => frame.hidden = number !== shown);
    place.textContent = ` ${shown + 1} / ${frames.length}`;
    back.disabled = shown === 0;
    forward.disabled = shown === frames.length - 1;
  }
  function button(text, label, by) {
    const made = controls.appendChild(document.createElement("button"));
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", label);
    made.addEventListener("click", () => show(shown + by));
    return made;
  }
  const back = button("←", "One step back", -1), forward = button("→", "One step forward", 1);
  controls.append(place);
  figure.prepend(controls);
  figure.addEventListener("keydown", event => {
    const to = {ArrowLeft: shown - 1, ArrowRight: shown + 1, Home: 0, End: frames.length - 1}[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    show(to);
  });
  show(0);
}
