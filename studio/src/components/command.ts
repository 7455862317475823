/** A command line that would do the same, to be copied. */

import { h } from "../dom";
import { t } from "../messages/shell";

export function commandLine(text: string): HTMLElement {
  const copy = h("button", { type: "button", class: "quiet" }, t("copy"));
  copy.addEventListener("click", () => {
    void navigator.clipboard.writeText(text).then(() => {
      copy.textContent = t("copied");
      setTimeout(() => (copy.textContent = t("copy")), 2000);
    });
  });
  return h("div", { class: "command" }, h("code", { lang: "en" }, text), copy);
}
