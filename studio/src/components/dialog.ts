/** A question before something that cannot be undone. The browser's own dialog element keeps the focus and knows Escape. */

import { h, uniqueId } from "../dom";
import { t } from "../messages/shell";

export function confirmDialog(title: string, text: string, action: string): Promise<boolean> {
  return new Promise((resolve) => {
    const id = uniqueId("dialog");
    const close = (confirmed: boolean) => () => dialog.close(confirmed ? "yes" : "");
    const dialog = h(
      "dialog",
      { "aria-labelledby": id },
      h("h2", { id }, title),
      h("p", {}, text),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", on: { click: close(false) } }, t("cancel")),
        h("button", { type: "button", class: "primary", on: { click: close(true) } }, action),
      ),
    );
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
