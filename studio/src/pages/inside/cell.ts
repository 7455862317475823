/** The cell drawn with the numbers of one step, which is stepped forward and back. */

import { getCell } from "../../api/inside";
import { toastError } from "../../components/toast";
import { h, replace } from "../../dom";
import { t } from "../../messages/inside";
import { visible } from "../../charts/shares";
import type { Choices } from "./choice";

const DRAWN = new Set(["svg", "g", "text", "tspan", "rect", "path", "line", "circle", "title", "desc"]);

/** Take a drawing of the server into the page: shapes and text only. Its own styles go first: the page's policy refuses them, and has the same. */
export function readDrawing(markup: string): SVGElement {
  const drawing = new DOMParser().parseFromString(markup.replace(/<style>[^<]*<\/style>/g, ""), "image/svg+xml").documentElement;
  for (const element of [drawing, ...drawing.querySelectorAll("*")]) {
    if (!DRAWN.has(element.localName)) element.remove();
    for (const { name } of [...element.attributes]) if (name.startsWith("on") || name === "style" || name.endsWith("href")) element.removeAttribute(name);
  }
  if (drawing.localName !== "svg") throw new Error("expected a drawing");
  return document.adoptNode(drawing) as unknown as SVGElement;
}

export class CellPanel {
  readonly element: HTMLElement;
  private readonly place = h("span", { role: "status", dir: "auto" });
  private readonly drawing = h("div", { class: "scroll cell", tabindex: "0", role: "region", "aria-label": t("cellTitle") });
  private readonly back: HTMLButtonElement;
  private readonly forward: HTMLButtonElement;
  private asked = new AbortController();

  constructor(
    private readonly run: string,
    private readonly choices: Choices,
    private readonly signal: AbortSignal,
  ) {
    const by = (steps: number) => () => choices.set({ step: choices.choice.step + steps });
    this.back = h("button", { type: "button", "aria-label": t("back"), on: { click: by(-1) } }, "←");
    this.forward = h("button", { type: "button", "aria-label": t("forward"), on: { click: by(1) } }, "→");
    const toolbar = h("div", { class: "toolbar" }, this.back, this.forward, this.place);
    this.element = h("section", { class: "card" }, h("h3", {}, t("cellTitle")), toolbar, this.drawing, h("p", { class: "note" }, t("cellHelp")));
    this.element.addEventListener("keydown", (event) => {
      const last = choices.layer.steps - 1;
      const to = { ArrowLeft: choices.choice.step - 1, ArrowRight: choices.choice.step + 1, Home: 0, End: last }[event.key];
      if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      choices.set({ step: to });
    });
    signal.addEventListener("abort", () => this.asked.abort());
  }

  /** Draw the chosen step; what was asked before is forgotten, so that a held key ends at the last step. */
  async show(): Promise<void> {
    const { choice, inside, layer, word } = this.choices;
    this.asked.abort();
    this.asked = new AbortController();
    this.place.textContent = t("place", { step: choice.step + 1, n: layer.steps, word: visible(word) });
    this.back.disabled = choice.step === 0;
    this.forward.disabled = choice.step === layer.steps - 1;
    try {
      const found = await getCell(this.run, inside.trace, choice.layer, choice.unit, choice.step, this.asked.signal);
      if (!this.signal.aborted) replace(this.drawing, readDrawing(found.svg));
    } catch (error) {
      toastError(error);
    }
  }
}
