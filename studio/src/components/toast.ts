/** Short messages at the edge of the window, read out by screen readers; errors stay until they are closed. */

import { h } from "../dom";
import { t } from "../messages/shell";
import { describeError, isAbort } from "./error";

const SECONDS_SHOWN = 6;
const region = h("div", { class: "toasts", role: "status", "aria-live": "polite" });

export function toast(text: string, kind: "note" | "error" = "note", english = false): void {
  if (!region.isConnected) document.body.append(region);
  const close = h("button", { type: "button", class: "quiet", "aria-label": t("close"), on: { click: () => item.remove() } }, "×");
  const item = h("div", { class: `toast ${kind}` }, h("p", { lang: english ? "en" : null }, text), close);
  region.append(item);
  if (kind === "note") setTimeout(() => item.remove(), SECONDS_SHOWN * 1000);
}

export function toastError(error: unknown): void {
  if (isAbort(error)) return;
  const { text, english } = describeError(error);
  toast(text, "error", english);
}
