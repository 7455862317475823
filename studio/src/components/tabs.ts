/** Tabs as ARIA has them: arrow keys move between them, Tab goes into what they show. */

import { h, uniqueId } from "../dom";
import { errorBox, isAbort } from "./error";

export interface Tab {
  key: string;
  title: string;
  /** Fill the panel when its tab is first chosen. */
  render: (panel: HTMLElement) => void | Promise<void>;
}

export function tabs(label: string, all: readonly Tab[], chosen: string | undefined, changed: (key: string) => void): HTMLElement {
  const list = h("div", { class: "tabs", role: "tablist", "aria-label": label });
  const element = h("div", { class: "tabbed" }, list);
  const made = all.map((tab) => {
    const id = uniqueId("tab");
    const panel = h("div", { role: "tabpanel", id: `${id}-panel`, "aria-labelledby": id, tabindex: 0, hidden: true }, heading(tab));
    const button = h("button", { type: "button", role: "tab", id, "aria-controls": `${id}-panel`, class: "tab" }, tab.title);
    list.append(button);
    element.append(panel);
    return { tab, button, panel, filled: false };
  });
  const choose = (place: number, focus: boolean): void => {
    for (const [other, one] of made.entries()) {
      const current = other === place;
      one.button.setAttribute("aria-selected", String(current));
      one.button.tabIndex = current ? 0 : -1;
      one.panel.hidden = !current;
      if (current && focus) one.button.focus();
      if (current && !one.filled) {
        one.filled = true;
        void fill(one.tab, one.panel);
      }
    }
  };
  for (const [place, one] of made.entries()) {
    one.button.addEventListener("click", () => {
      choose(place, false);
      changed(one.tab.key);
    });
    one.button.addEventListener("keydown", (event) => {
      const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: made.length - 1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      const wanted = (next + made.length) % made.length;
      choose(wanted, true);
      changed(made[wanted]?.tab.key ?? "");
    });
  }
  choose(Math.max(0, all.findIndex((tab) => tab.key === chosen)), false);
  return element;
}

/** For those who move from heading to heading; for others the tab itself says it. */
function heading(tab: Tab): HTMLElement {
  return h("h2", { class: "visually-hidden" }, tab.title);
}

async function fill(tab: Tab, panel: HTMLElement): Promise<void> {
  panel.setAttribute("aria-busy", "true");
  try {
    await tab.render(panel);
  } catch (error) {
    if (isAbort(error)) return;
    const retry = (): void => {
      panel.replaceChildren(heading(tab));
      void fill(tab, panel);
    };
    panel.append(errorBox(error, retry));
  } finally {
    panel.removeAttribute("aria-busy");
  }
}
