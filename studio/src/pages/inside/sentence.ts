/** What was read, step by step, shaded by one signal of one unit; a step is chosen by a click or by arrow keys. */

import type { Matrix } from "../../charts/matrix";
import { unitValues } from "../../charts/matrix";
import { shade, visible } from "../../charts/shares";
import { h, replace } from "../../dom";
import { decimal } from "../../i18n";
import { t } from "../../messages/inside";
import type { Choices } from "./choice";
import { middleOf, signalAbout, signalName } from "./words";

const MOST_SHOWN = 240;

export class Sentence {
  readonly element: HTMLElement;
  private readonly heading = h("h3");
  private readonly about = h("p", {});
  private readonly note = h("p", { class: "note", role: "status" });
  private readonly line = h("p", { class: "shares steps", dir: "auto" });
  private first = 0;
  private values: Float32Array = new Float32Array(0);

  constructor(private readonly choices: Choices) {
    this.element = h("div", {}, this.heading, this.about, this.line, this.note);
    this.line.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      choices.set({ step: choices.choice.step + by });
      this.line.querySelector<HTMLElement>('[aria-pressed="true"]')?.focus();
    });
  }

  /** Shade by the chosen unit's values. */
  show(matrix: Matrix): void {
    this.values = unitValues(matrix, this.choices.choice.unit);
    this.draw();
  }

  /** Mark another step; the words are drawn again only where it lies outside those shown. */
  move(): void {
    const { step } = this.choices.choice;
    if (step < this.first || step >= this.first + MOST_SHOWN) this.draw();
    else this.mark();
  }

  private draw(): void {
    const { choices } = this;
    const { choice, layer, signal } = choices;
    this.heading.textContent = t("sentenceTitle", { signal: signalName(signal), unit: `${layer.layer}.${choice.unit}` });
    this.about.textContent = signalAbout(signal);
    this.first = Math.max(0, Math.min(layer.steps - MOST_SHOWN, choice.step - MOST_SHOWN / 2));
    const middle = middleOf(signal);
    const top = Math.max(1 - middle, ...this.values.map((value) => Math.abs(value - middle)));
    const isText = layer.names.some((name) => /\p{L}/u.test(name));
    const words = layer.names.slice(this.first, this.first + MOST_SHOWN).map((name, place) => {
      const step = this.first + place;
      const shown = isText ? visible(name) : (layer.names[step] ?? String(step + 1));
      const button = h("button", { type: "button", class: "share", "data-step": step, on: { click: () => choices.set({ step }) } }, shown || "·");
      shade(button, (this.values[step] ?? 0) - middle, top);
      return button;
    });
    replace(this.line, words);
    this.mark();
  }

  private mark(): void {
    const { choice, layer, word } = this.choices;
    for (const button of this.line.children) {
      const step = Number(button.getAttribute("data-step"));
      button.setAttribute("aria-pressed", String(step === choice.step));
      button.setAttribute("aria-label", `${step + 1}, ${layer.names[step] ?? ""}: ${decimal(this.values[step])}`);
      (button as HTMLElement).tabIndex = step === choice.step ? 0 : -1;
    }
    const part = layer.steps > MOST_SHOWN ? ` ${t("windowed", { from: this.first + 1, to: Math.min(layer.steps, this.first + MOST_SHOWN), n: layer.steps })}` : "";
    this.note.textContent = t("sentenceNote", { word: visible(word), value: decimal(this.values[choice.step]) }) + part;
  }
}
