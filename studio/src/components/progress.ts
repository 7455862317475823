/** How far something is, as a bar with words; without a total it only says that it goes on. */

import { h, uniqueId } from "../dom";

export class ProgressBar {
  readonly element: HTMLElement;
  private readonly bar = h("progress", { max: 1 });
  private readonly words = h("span");

  constructor(label: string) {
    const id = uniqueId("progress");
    this.bar.setAttribute("aria-labelledby", id);
    this.element = h("div", { class: "progress" }, h("span", { id, class: "visually-hidden" }, label), this.bar, this.words);
  }

  show(share: number | null, words: string): void {
    if (share === null) this.bar.removeAttribute("value");
    else this.bar.value = Math.min(1, Math.max(0, share));
    this.words.textContent = words;
  }
}
